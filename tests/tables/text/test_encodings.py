from __future__ import annotations

import random

import pytest

from prefect_seedance.errors import TableError
from prefect_seedance.tables.text.encodings import decoded

SENTENCES = {
    "simplified": [
        "雨夜的霓虹街道，一只黑猫慢慢走过",
        "清晨的湖面上，薄雾缓缓升起，远处有一艘小船",
        "镜头从天空俯拍整座城市，车流如织",
        "穿红裙的女孩在麦田里奔跑，阳光洒在她的脸上",
        "老人坐在门前抽烟，身后是斑驳的砖墙",
        "机器人在实验室里组装一朵金属玫瑰",
        "海浪拍打礁石，慢动作，电影质感",
        "一碗热气腾腾的牛肉面，特写镜头",
        "古代将军骑马冲向敌阵，尘土飞扬",
        "小熊猫在竹林里吃竹子，画面温暖",
    ],
    "traditional": [
        "雨夜的霓虹燈下，一隻黑貓慢慢走過街道",
        "清晨的湖面上，薄霧緩緩升起，遠處有一艘小船",
        "鏡頭從天空俯拍整座城市，車流如織",
        "穿紅裙的女孩在麥田裡奔跑，陽光灑在她的臉上",
        "老人坐在門前抽菸，身後是斑駁的磚牆",
        "機器人在實驗室裡組裝一朵金屬玫瑰",
        "海浪拍打礁石，慢動作，電影質感",
        "一碗熱氣騰騰的牛肉麵，特寫鏡頭",
        "古代將軍騎馬衝向敵陣，塵土飛揚",
        "貓咪在窗邊睡覺，窗外下著大雨",
    ],
    "japanese": [
        "雨の夜、ネオンの街を黒い猫がゆっくり歩く",
        "朝の湖に霧が立ちのぼり、遠くに小舟が見える",
        "空から街全体を見下ろすカメラ",
        "赤いドレスの少女が麦畑を走る",
        "老人が家の前でタバコを吸っている",
        "ロボットが研究室で金属のバラを組み立てる",
        "波が岩に打ち寄せる、スローモーション",
        "湯気の立つラーメンのクローズアップ",
        "侍が馬に乗って敵陣へ突撃する",
        "子猫が窓辺で眠り、外は雨",
    ],
    "korean": [
        "비 오는 밤 네온 거리에서 검은 고양이가 천천히 걷는다",
        "아침 호수 위로 안개가 피어오르고 멀리 작은 배가 보인다",
        "하늘에서 도시 전체를 내려다보는 카메라",
        "빨간 드레스를 입은 소녀가 밀밭을 달린다",
        "노인이 집 앞에서 담배를 피운다",
        "로봇이 실험실에서 금속 장미를 조립한다",
        "파도가 바위에 부딪히는 슬로 모션",
        "김이 모락모락 나는 라면 클로즈업",
        "장군이 말을 타고 적진으로 돌격한다",
        "새끼 고양이가 창가에서 잔다",
    ],
    "russian": [
        "Черная кошка медленно идет по неоновой улице ночью",
        "Утренний туман поднимается над озером",
        "Камера смотрит на город с высоты",
        "Девушка в красном платье бежит по полю",
        "Старик курит у дверей дома",
        "Робот собирает металлическую розу",
        "Волны разбиваются о скалы, замедленная съемка",
        "Тарелка горячего супа крупным планом",
        "Генерал скачет на врага",
        "Котенок спит у окна",
    ],
    "french": [
        "Un chat noir marche lentement dans une rue éclairée aux néons",
        "La brume du matin s'élève sur le lac, une barque au loin",
        "Caméra aérienne au-dessus de la ville à l'aube",
        "Une fille en robe rouge court dans un champ de blé doré",
        "Un vieil homme fume devant sa porte fermée",
        "Un robot répare une rose métallique",
        "Les vagues frappent les rochers, ralenti très fluide",
        "Un bol de soupe fumante en gros plan, lumière tamisée",
        "Le général charge l'armée ennemie à cheval",
        "Le café crème est versé dans la tasse",
    ],
    "german": [
        "Eine schwarze Katze läuft langsam durch eine Neonstraße",
        "Morgennebel steigt über dem See auf, ein Boot in der Ferne",
        "Die Kamera blickt über die schöne Stadt",
        "Ein Mädchen im roten Kleid läuft durchs Weizenfeld",
        "Ein alter Mann raucht vor seiner Tür",
        "Ein Roboter baut eine Metallrose für die Königin",
        "Wellen brechen an den Felsen, Zeitlupe, größer",
        "Ein dampfender Teller Knödel in Nahaufnahme",
        "Der General reitet gegen die Überzahl",
        "Kaffee fließt in die Tasse, süß und heiß",
    ],
    "spanish": [
        "Un gato negro camina despacio por una calle de neón",
        "La niebla de la mañana sube sobre el lago, una barca pequeña",
        "Cámara aérea sobre la ciudad",
        "Una niña con vestido rojo corre por el campo",
        "Un anciano fuma delante de su casa, corazón tranquilo",
        "Un robot arma una rosa metálica",
        "Las olas rompen, cámara lenta, emoción",
        "Un plato de sopa caliente, acción mínima",
        "El general cabalga contra el ejército",
        "El café cae en la taza",
    ],
    "thai": [
        "แมวดำเดินช้าๆบนถนนนีออน",
        "หมอกยามเช้าลอยเหนือทะเลสาบ",
        "กล้องมองเมืองจากท้องฟ้า",
        "เด็กหญิงวิ่งในทุ่งนา",
        "ฝนตก",
        "แมว",
        "ทะเล",
        "คนแก่สูบบุหรี่หน้าบ้าน",
    ],
}
SHORT = {
    "simplified": ["雨夜", "花海", "城市", "日出"],
    "japanese": ["東京夜景", "雨", "猫", "海辺の町"],
    "korean": ["서울 야경", "비", "고양이", "바다"],
    "thai": ["ฝนตก", "แมว", "ทะเล"],
}
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
OTHERS = {
    "simplified": ["gb18030", "gbk"],
    "traditional": ["big5", "gb18030"],
    "japanese": ["cp932", "euc_jp", "iso2022_jp"],
    "korean": ["cp949", "euc_kr"],
    "russian": ["cp1251", "koi8-r"],
    "french": ["cp1252", "mac_roman"],
    "german": ["latin-1", "mac_roman"],
    "spanish": ["cp1252"],
    "thai": ["cp874"],
}


def tables(sentences):
    """Tables of one to a thousand rows."""
    chosen = random.Random(3)
    for size in (1, 2, 3, 10, 1000):
        for _ in range(1 if size > 100 else 5):
            yield "id,prompt\n" + "".join(f"{n},{chosen.choice(sentences)}\n" for n in range(size))


@pytest.mark.parametrize("language", SENTENCES)
def test_unicode_is_read_with_or_without_a_mark(language):
    for text in tables(SENTENCES[language]):
        for encoding in UNICODE:
            assert decoded(text.encode(encoding), "a.csv") == (text, ()), encoding


@pytest.mark.parametrize(("language", "encoding"), [(name, each) for name, found in OTHERS.items() for each in found])
def test_other_encodings_are_read_right_or_refused(language, encoding):
    read = 0
    texts = [*tables(SENTENCES[language]), *tables(SHORT.get(language, SENTENCES[language]))]
    for text in texts:
        try:
            found, warnings = decoded(text.encode(encoding), "a.csv")
        except TableError:
            pass  # what it says is tested below
        else:
            assert found == text
            assert [warning.slug for warning in warnings] == ["table.read_as_chinese"]
            read += 1
    chinese = encoding in {"gb18030", "gbk"}
    assert read > len(texts) / 3 if chinese else read == 0


@pytest.mark.parametrize("row", ["￥1.25", "￡1", "25℃", "3×4", "§1"])
def test_signs_beside_chinese_are_chinese(row):
    text = "任务,计费模型名,金额,币种\n" + f"1,s,{row},CNY\n" * 40
    assert decoded(text.encode("gbk"), "a.csv")[0] == text


def refusal(data):
    with pytest.raises(TableError) as caught:
        decoded(data, "a.csv")
    return str(caught.value)


def test_a_refusal_shows_the_readings():
    korean = refusal("id,prompt\n1,서울 야경\n".encode("cp949"))
    assert "doubtful. It may be Chinese (GB18030), such as '辑匡具版'" in korean
    assert "Korean (CP949), such as '서울야경'" in korean
    russian = refusal("id,prompt\n1,Ночной дождь и неоновая улица\n".encode("cp1251"))
    assert "seems to be Cyrillic (Windows-1251), such as 'Ночной" in russian
    assert "It may be UTF-8, such as 'è', Chinese (GB18030), such as '猫'" in refusal("prompt\n猫\n".encode("gbk"))


def test_bytes_that_an_encoding_does_not_have_are_named_by_their_lines():
    data = "id,prompt\n1,雨夜的霓虹\n2,猫".encode() + b"\xe7\n3,ok\n"
    assert "It is UTF-8, but these lines contain bytes that this encoding does not have: 3." in refusal(data)
    assert "does not have: 2." in refusal("prompt\n雨夜".encode("utf-8-sig")[:-1])
    assert "UTF-16-LE" in refusal("prompt\n雨夜".encode("utf-16")[:-1])


@pytest.mark.parametrize(("text", "meant"), [("Un café très chaud", "éè"), ("雨夜的霓虹", "雨夜的霓虹")])
def test_text_that_was_decoded_wrongly_is_refused(text, meant):
    wrong = "".join(byte.decode("cp1252", "replace") for byte in (bytes([each]) for each in text.encode()))
    if "\ufffd" not in wrong:
        assert f"where '{meant}' was meant" in refusal(f"prompt\n{wrong}\n".encode())


@pytest.mark.parametrize(
    "text", ["è il gatto", "caffè, città", "naïve café", "кот дома", "ñandú", "日本", "A • B – “C”"]
)
def test_short_text_in_utf_8_is_read(text):
    assert decoded(f"prompt\n{text}\n".encode(), "a.csv") == (f"prompt\n{text}\n", ())


def test_binary_data_is_no_text():
    assert "binary" in refusal(bytes(range(256)))
    assert "binary" in refusal(b"\x00" * 100)
    assert decoded(b"\xef\xbb\xbf\xef\xbb\xbfprompt\na\n\x1a", "a.csv") == ("prompt\na\n", ())
