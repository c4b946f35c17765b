"""The error body: an error in a provider's own form, and its kind by code and text.

No provider publishes a full list of its codes, so the text counts as well. It is read with law 2 in mind: an error
behind the gateway proves nothing; only a clear statement about the request, the key, the funds or the rate makes an
answer a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto


class ErrorKind(Enum):
    """The kind of an error."""

    REFUSED = auto()
    MODERATED = auto()
    FUNDS = auto()
    LIMITED = auto()
    KEY = auto()
    GONE = auto()
    TROUBLE = auto()
    """A failure at the provider or behind it: a job may have been made."""


@dataclass(frozen=True)
class ErrorBody:
    """An error in the provider's own form.

    Attributes:
        kind: Its kind.
        codes: The codes from the outside in; a gateway may wrap the error of its upstream.
        text: The innermost message.
        relayed: Whether it comes from behind the gateway; then the HTTP status says nothing about the user's key.
        undispatched: Whether its outermost code is one that the gateway raises before it calls any upstream.
    """

    kind: ErrorKind
    codes: tuple[str, ...]
    text: str
    relayed: bool = False
    undispatched: bool = False

    @property
    def code(self) -> str | None:
        """The innermost code, which is the most specific one."""
        return self.codes[-1] if self.codes else None


DOUBTFUL_STATUSES = frozenset({408, 409, 425, 499})
"""Statuses, or codes like them, about the transfer and not the request: time-outs, a closed connection, a duplicate."""

# The meaning of an error is at its beginning; a body may have a million characters.
_MAX_TEXT = 4000
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORD = re.compile(r"[a-z0-9]+|[^\W\x00-\x7f]+")
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+|(?<![\w/])/[\w.-]+(?:/[\w.-]*)+", re.IGNORECASE)


def _pattern(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# These two lists are read on words: lower case, a space for everything else, and one at both ends.
TROUBLE = (
    " time[sd]? ?out", "超时", " deadline ", " connection ", " reset by peer ", " broken pipe ", " eof ", " gateway ",
    " internal ", " server error", " bad response ", " do request ", " read response ", " get channel failed ",
    " unavailable ", " overload", " high load ", " busy ", " panic", r" (?:status|code|http) (?:\w+ ){0,2}5\d\d ",
    "(?:系统|服务|服务器|网络|内部)(?:异常|错误|出错|故障|中断|不可用)", "繁忙", "高负载",
)  # fmt: skip
"""Something failed on the way: a job may or may not have been made. This outweighs everything else in the text."""

DOUBT = (
    " upstream", "上游", "稍后", "重试", " retry ", " try again ", " (?:task|job)s? ", "任务",
)  # fmt: skip
"""Words that leave doubt, unless a code or other words say clearly what was wrong."""

HOLLOW = (
    "failed", "failure", "fail", "errors?", "unknown", "request", "operation", "creation", "create", "generation",
    "generate", "video", "请求", "操作", "创建", "提交", "生成", "视频", "失败", "错误", "出错", "未知",
)  # fmt: skip
"""A text of nothing but these and numbers says that something failed, and not what was wrong: that leaves doubt too."""

_FUNDS = _pattern(
    r"(?:insufficient|not enough|exhausted|no)[ _](?:\w+[ _])?(?:balance|quota|funds?|credits?)\b",
    r"(?:balance|credits?|funds|quota)\b.{0,30}(?:insufficient|exhausted|not enough|used up|too low|not sufficient)",
    r"pre_consume_token_quota_failed", r"remaining quota", r"arrears", r"余额不足", r"额度(?:不足|已用|用尽|耗尽)",
    r"剩余额度", r"欠费", r"请.{0,4}充值",
)  # fmt: skip
_LIMITED = _pattern(
    r"too many (?:requests|tasks|jobs)", r"rate[ _-]?limit", r"too frequent", r"throttl",
    r"concurren\w*.{0,30}(?:limit|exceed|reached)", r"频繁", r"限流", r"并发.{0,12}(?:上限|限制|超)",
)  # fmt: skip
_MODERATED = _pattern(
    r"moderation", r"sensitive", r"risk[ _]?detect", r"(?:content|usage)[ _](?:policy|filter)",
    r"敏感", r"违规", r"不合规",
)  # fmt: skip
_KEY = _pattern(
    r"(?:invalid|incorrect|expired|missing|wrong|unknown)[ _](?:api[ _]?key|token|credentials?)", r"invalid_api_key",
    r"unauthori[sz]ed", r"authentication[ _](?:failed|error)", r"无效的?(?:令牌|密钥)", r"(?:鉴权|认证)失败",
)  # fmt: skip
_GONE = _pattern(
    r"(?:task|job|video|record).{0,40}(?:not[ _](?:be[ _])?(?:exist|found)|no longer exists|expired)",
    r"no such (?:task|job|video)",
    r"(?:任务|视频|记录).{0,12}(?:不存在|未找到|已过期|找不到)", r"(?:找不到|未找到|不存在).{0,6}(?:任务|视频|记录)",
)  # fmt: skip
ABSENT = (
    " not found ", " not be found ", " not exists? ", " not known ", " (?:doesnt|didnt) exist ", " notfound ",
    " no longer exists ", " no such ", " no record ", "不存在", "未找到", "找不到", "没有找到", "无记录",
)  # fmt: skip
"""Something is missing. On a create that may be its job, unless the text names one of the following things."""

THINGS = {
    "": (
        " urls? ", " paths? ", " routes? ", " endpoints? ", " models? ", " channels? ", " images? ", " audios? ",
        " files? ", " names? ", " keys? ", " tokens? ", " users? ", " accounts? ",
        "模型", "渠道", "通道", "线路", "接口", "路径", "图片", "音频", "文件", "令牌", "用户", "账户",
    ),
    "asset": (" assets? ", "素材", "资产"),
    "group": (" groups? ", "分组"),
}  # fmt: skip
"""What may be missing besides a job, by what the call makes: an asset is not another thing where one is made."""

_TROUBLE, _DOUBT, _ABSENT = _pattern(*TROUBLE), _pattern(*DOUBT), _pattern(*ABSENT)
_HOLLOW = re.compile(rf"(?: |\d|{'|'.join(HOLLOW)})*")
_THINGS = {what: _pattern(*words) for what, words in THINGS.items()}

# The route itself is closed: upstream codes, the gateway's own codes, and usual texts.
_CLOSED = _pattern(
    r"^(?:model_not_found|modelnotopen|unsupportedmodel|invalidendpoint\.closedendpoint)$",
    r"(?:model|route|channel|endpoint|线路|模型|通道).{0,40}?(?:under|in|for) maintenance",
    r"(?:model|route|channel|endpoint)(?: \S+)? (?:is|was|has been) (?:closed|offline|taken down|retired)",
    r"no available channel", r"(?:线路|模型|通道).{0,12}(?:维护|关闭|下线|停用|暂停)", r"不支持的模型参数",
)  # fmt: skip

_PATTERNS = (
    (ErrorKind.FUNDS, _FUNDS),
    (ErrorKind.LIMITED, _LIMITED),
    (ErrorKind.MODERATED, _MODERATED),
    (ErrorKind.KEY, _KEY),
    (ErrorKind.GONE, _GONE),
)


def kind_of_text(text: str, *, documented: bool = False) -> ErrorKind:
    """Return the kind of an error by its codes and its message.

    Args:
        text: Codes and message in one text.
        documented: Whether the documents call the code a refusal. Then a "please retry" in the text leaves no doubt.
    """
    text = text[:_MAX_TEXT]
    words = _words(text)
    if _TROUBLE.search(words):
        return ErrorKind.TROUBLE
    found = next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)
    if found is not None:
        return found
    doubtful = _DOUBT.search(words) or _HOLLOW.fullmatch(words)
    return ErrorKind.TROUBLE if doubtful and not documented else ErrorKind.REFUSED


def speaks_of_missing_job(text: str, path: str) -> bool:
    """Whether a text says that a job is missing. A path of the API in it, such as that of the call, does not count."""
    return _GONE.search(_without_addresses(text, path)) is not None


def says_that_something_is_missing(text: str) -> bool:
    """Whether a text says that something does not exist."""
    return _ABSENT.search(_words(text)) is not None


def names_other_thing(text: str, path: str, what: str) -> bool:
    """Whether a text names something that may be missing, such as a path or a model, other than what the call makes.

    Args:
        text: The codes and the message.
        path: The path of the call; where the text names it, it speaks of the path.
        what: What the call makes: `job`, `asset` or `group`.
    """
    words = _words(_without_addresses(text, path))
    return any(pattern.search(words) for thing, pattern in _THINGS.items() if thing != what)


def _without_addresses(text: str, path: str) -> str:
    """Replace the path of the call by the word `path`, and leave out all other addresses."""
    own = re.compile(rf"(?:https?://[^\s\"'<>/]+)?(?:/[\w.-]+)*?{re.escape(path)}(?![\w/-])")
    return _ADDRESS.sub(" ", own.sub(" path ", text[:_MAX_TEXT]))


def _words(text: str) -> str:
    """Return the words of a text in lower case between single spaces; `InternalError_x` has three."""
    spaced = _CAMEL.sub(" ", text[:_MAX_TEXT].replace("'", "").replace("’", ""))
    return f" {' '.join(_WORD.findall(spaced.lower()))} "


def means_route_closed(texts: Iterable[str]) -> bool:
    """Whether a refusal concerns the route, not the request: it is closed, or not available for this key."""
    return any(_CLOSED.search(text[:_MAX_TEXT]) for text in texts)


def means_moderated(text: str) -> bool:
    """Whether a job failed because of the content of the prompt, the media or the result."""
    return _MODERATED.search(text[:_MAX_TEXT]) is not None
