from __future__ import annotations

import json

import pytest

from prefect_seedance.errors import TableError
from prefect_seedance.tables.reader import read_table


def read(tmp_path, content, name):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


ROWS = [{"id": 12345678901234567, "prompt": "a", "sku": 1001}, {"id": 12345678901234569, "prompt": "b"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS)),
        ("a.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("a.json", json.dumps({key: {str(n): row.get(key) for n, row in enumerate(ROWS)} for key in ROWS[0]})),
        ("a.json", json.dumps(ROWS).encode("utf-16")),
    ],
)
def test_whole_numbers_stay_what_they_are(tmp_path, name, content):
    table = read(tmp_path, content, name)
    assert [row.key for row in table.rows] == ["12345678901234567", "12345678901234569"]
    assert table.frame.to_csv(index=False, lineterminator="|") == (
        "id,prompt,sku|12345678901234567,a,1001|12345678901234569,b,|"
    )


def test_numbers_keep_their_value(tmp_path):
    text = '[{"prompt": "a", "x": 0.1, "y": 12345678.123456789012, "z": 1e400}]'
    frame = read(tmp_path, text, "a.json").frame
    assert [str(frame[name][0]) for name in "xyz"] == ["0.1", "12345678.123456789012", "1E+400"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", '[{"prompt": "a"}, {"prompt": "b", "prompt": "c"}]', "Row 2 has the key 'prompt' more than once"),
        ("a.jsonl", '{"prompt": "a"}\n\n{"x": {"y": 1, "y": 2}}', "Row 3 has the key 'y' more than once"),
        ("a.json", '{"s1": {"prompt": "a", "ratio": "16:9"}, "s2": {"prompt": "b"}}', "array of objects"),
        ("a.jsonl", '{"prompt": "a"}\n{bad\n', "Line 2 is not JSON"),
        ("a.jsonl", '{"prompt": "서울 야경"}\n'.encode("cp949"), "Korean (CP949), such as '서울야경'"),
    ],
)
def test_what_is_doubtful_is_refused(tmp_path, name, content, words):
    with pytest.raises(TableError) as caught:
        read(tmp_path, content, name)
    assert words in str(caught.value)


def test_json_is_decoded_as_csv_is(tmp_path):
    table = read(tmp_path, '[{"prompt": "雨夜的霓虹街道，一只黑猫慢慢走过"}]'.encode("gbk"), "a.json")
    assert [warning.slug for warning in table.warnings] == ["table.read_as_chinese"]
