"""The words that leave an error unproven: each rule has a phrase that only it matches, so none can go unnoticed."""

from __future__ import annotations

import re

import pytest

from prefect_seedance.providers import error_body
from prefect_seedance.providers.error_body import (
    ABSENT,
    DOUBT,
    HOLLOW,
    THINGS,
    TROUBLE,
    ErrorKind,
    kind_of_text,
    names_other_thing,
    says_that_something_is_missing,
    speaks_of_missing_job,
)

PATH = "/v1/video/generations"

_PARTS = ("系统", "服务", "服务器", "网络", "内部")
_FAULTS = ("异常", "错误", "出错", "故障", "中断", "不可用")
IN_TROUBLE = {
    " time[sd]? ?out": ["Timeout", "timed out", "the call times out", "time-out", "ReadTimeoutError"],
    "超时": ["读取超时"],
    " deadline ": ["context deadline exceeded"],
    " connection ": ["the connection was lost"],
    " reset by peer ": ["read: reset by peer"],
    " broken pipe ": ["write: broken pipe"],
    " eof ": ["unexpected EOF"],
    " gateway ": ["Bad Gateway"],
    " internal ": ["InternalServiceError", "internal_error"],
    " server error": ["the server errored", "server_error"],
    " bad response ": ["bad_response_status_code"],
    " do request ": ["do_request_failed"],
    " read response ": ["read_response_body_failed"],
    " get channel failed ": ["get_channel_failed"],
    " unavailable ": ["temporarily unavailable"],
    " overload": ["ServerOverloaded", "the engine is overloaded"],
    " high load ": ["due to high load"],
    " busy ": ["we are busy."],
    " panic": ["panic: nil", "it panicked"],
    r" (?:status|code|http) (?:\w+ ){0,2}5\d\d ": ["status 502", "status_code=503", "HTTP/1.1 500", "bad code: 599"],
    "(?:系统|服务|服务器|网络|内部)(?:异常|错误|出错|故障|中断|不可用)": [a + b for a in _PARTS for b in _FAULTS],
    "繁忙": ["当前繁忙"],
    "高负载": ["处于高负载"],
}
IN_DOUBT = {
    " upstream": ["the upstream said no", "upstream_error", "upstreams"],
    "上游": ["上游说不"],
    "稍后": ["请稍后"],
    "重试": ["请重试"],
    " retry ": ["please retry!"],
    " try again ": ["try again"],
    " (?:task|job)s? ": ["task was bad", "bad tasks", "this job", "two jobs"],
    "任务": ["任务参数"],
}
# Written out once more: taken from the list itself, a word could vanish from both.
NOTHING = (
    "failed failure fail unknown request operation creation create generation generate video "
    "请求 操作 创建 提交 生成 视频 失败 错误 出错 未知"
)
SAYING_NOTHING = {"errors?": ["Error", "errors: 77"], **{word: [word] for word in NOTHING.split()}}
OTHER_THINGS = {
    "": "url urls path paths route routes endpoint endpoints model models channel channels image images audio audios "
    "file files name names key keys token tokens user users account accounts "
    "模型 渠道 通道 线路 接口 路径 图片 音频 文件 令牌 用户 账户",
    "asset": "asset assets 素材 资产",
    "group": "group groups 分组",
}
MISSING = {
    " not found ": ["the cat was NotFound", "cat_not_found"],
    " not be found ": ["could not be found"],
    " not exists? ": ["cat not exist", "it not exists", "does not exist"],
    " not known ": ["the cat is not known"],
    " (?:doesnt|didnt) exist ": ["it doesn't exist", "it didn’t exist"],
    " notfound ": ["notfound.cat"],
    " no longer exists ": ["it no longer exists"],
    " no such ": ["no such cat"],
    " no record ": ["no record of it"],
    "不存在": ["猫不存在"],
    "未找到": ["未找到猫"],
    "找不到": ["找不到猫"],
    "没有找到": ["没有找到猫"],
    "无记录": ["猫无记录"],
}


def matching(rules: tuple[str, ...], phrase: str) -> list[str]:
    words = error_body._words(phrase)
    return [rule for rule in rules if re.search(rule, words, re.IGNORECASE)]


def phrases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(rule, phrase) for rule, found in table.items() for phrase in found]


def test_every_rule_has_its_phrase() -> None:
    assert tuple(IN_TROUBLE) == TROUBLE
    assert tuple(IN_DOUBT) == DOUBT
    assert tuple(MISSING) == ABSENT
    assert set(SAYING_NOTHING) == set(HOLLOW)


@pytest.mark.parametrize(("rule", "phrase"), phrases(IN_TROUBLE))
def test_trouble_outweighs_everything(rule: str, phrase: str) -> None:
    assert matching((*TROUBLE, *DOUBT), phrase) == [rule]
    for words in (phrase, f"invalid_api_key: {phrase}", f"{phrase}, bad parameter"):
        assert kind_of_text(words, documented=True) is ErrorKind.TROUBLE


@pytest.mark.parametrize(("rule", "phrase"), phrases(IN_DOUBT))
def test_doubt_yields_to_a_documented_code_and_to_clear_words(rule: str, phrase: str) -> None:
    assert matching((*TROUBLE, *DOUBT), phrase) == [rule]
    assert kind_of_text(phrase) is ErrorKind.TROUBLE
    assert kind_of_text(phrase, documented=True) is ErrorKind.REFUSED
    assert kind_of_text(f"余额不足, {phrase}") is ErrorKind.FUNDS


@pytest.mark.parametrize(("rule", "phrase"), phrases(SAYING_NOTHING))
def test_words_that_say_nothing_leave_doubt(rule: str, phrase: str) -> None:
    assert kind_of_text(phrase) is ErrorKind.TROUBLE
    assert not matching((*TROUBLE, *DOUBT), phrase)
    rest = "|".join(each for each in HOLLOW if each != rule)
    assert not re.fullmatch(rf"(?: |\d|{rest})*", error_body._words(phrase))
    assert kind_of_text(f"{phrase}: the ratio is wrong") is ErrorKind.REFUSED
    assert kind_of_text(phrase, documented=True) is ErrorKind.REFUSED


@pytest.mark.parametrize(("rule", "phrase"), phrases(MISSING))
def test_something_is_missing(rule: str, phrase: str) -> None:
    assert matching(ABSENT, phrase) == [rule]
    assert says_that_something_is_missing(phrase)
    assert not names_other_thing(phrase, PATH, "job")


@pytest.mark.parametrize(
    ("what", "word"), [(what, word) for what in OTHER_THINGS for word in OTHER_THINGS[what].split()]
)
def test_a_thing_that_is_not_a_job(what: str, word: str) -> None:
    phrase = f"the {word} is missing"
    (rule,) = matching(tuple(rule for rules in THINGS.values() for rule in rules), phrase)
    assert rule.strip().removesuffix("s?") == word.removesuffix("s")
    assert names_other_thing(phrase, PATH, "job")
    assert names_other_thing(phrase, PATH, what or "job") is (what == ""), "not where it is what the call makes"


def test_every_thing_has_its_word() -> None:
    for what, rules in THINGS.items():
        words = OTHER_THINGS[what].split()
        assert {rule.strip().replace("s?", "") for rule in rules} == {word.removesuffix("s") for word in words}


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("task not found", True),
        ("the job could not be found", True),
        ("video does not exist", True),
        ("record no longer exists", True),
        ("this task has expired", True),
        ("no such job", True),
        ("任务不存在", True),
        ("视频已过期", True),
        ("找不到该任务", True),
        ("task_not_exist", True),
        ("The requested URL /v1/video/generations was not found", False),
        ("Cannot POST https://h/proxy/v1/video/generations: not found", False),
        ("GET /v1/tasks/7 not found", False),
        ("asset not found", False),
        ("bad task", False),
    ],
)
def test_words_of_a_missing_job(text: str, missing: bool) -> None:
    assert speaks_of_missing_job(text, PATH) is missing


def test_only_the_path_of_the_call_is_a_path() -> None:
    assert names_other_thing("Cannot POST /proxy/v1/video/generations", PATH, "job")
    for other in ("GET /v1/video/generations/7", "GET /v1/tasks/7", "https://upstream/v1/urls/7 is not there"):
        assert not names_other_thing(other, PATH, "job")
