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
    """

    kind: ErrorKind
    codes: tuple[str, ...]
    text: str
    relayed: bool = False

    @property
    def code(self) -> str | None:
        """The innermost code, which is the most specific one."""
        return self.codes[-1] if self.codes else None


# The meaning of an error is at its beginning; a body may have a million characters.
_MAX_TEXT = 4000


def _pattern(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# Something failed on the way: a job may or may not have been made.
_BREAKDOWN = _pattern(
    r"time[sd]?[ _-]?out", r"deadline[ _]exceeded", r"超时", r"reset by peer", r"broken pipe", r"\bEOF\b",
    r"connection[ _](?:was[ _])?(?:reset|refused|closed|aborted|lost)", r"(?:bad|upstream)[ _]gateway",
    r"internal[ _]?(?:server|service|network)?[ _]?(?:error|failure)", r"server[ _]?error", r"bad_response",
    r"do_request_failed", r"read_response",
    r"service[ _]?(?:is[ _])?(?:temporarily[ _])?unavailable",
    r"overload", r"high load", r"\bbusy\b", r"panic", r"(?:status|code|http)\D{0,8}5\d\d\b",
    r"(?:系统|服务|服务器|网络|内部)(?:繁忙|异常|错误|故障|中断|不可用|出错)", r"繁忙", r"高负载",
)  # fmt: skip
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
    r"(?:task|job|video)_(?:id_)?not_(?:exist|found)", r"no such (?:task|job|video)",
    r"任务.{0,12}(?:不存在|未找到|已过期|找不到)", r"(?:找不到|未找到|不存在).{0,6}任务",
)  # fmt: skip
# Weaker than a documented refusal code, but enough to leave doubt in all other cases.
_DOUBT = _pattern(r"upstream", r"上游", r"稍后", r"重试", r"\bretry\b", r"try again", r"unknown error", r"未知错误")

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
    if _BREAKDOWN.search(text):
        return ErrorKind.TROUBLE
    found = next((kind for kind, pattern in _PATTERNS if pattern.search(text)), None)
    if found is not None:
        return found
    return ErrorKind.REFUSED if documented or not _DOUBT.search(text) else ErrorKind.TROUBLE


def means_route_closed(texts: Iterable[str]) -> bool:
    """Whether a refusal concerns the route, not the request: it is closed, or not available for this key."""
    return any(_CLOSED.search(text[:_MAX_TEXT]) for text in texts)


def means_moderated(text: str) -> bool:
    """Whether a job failed because of the content of the prompt, the media or the result."""
    return _MODERATED.search(text[:_MAX_TEXT]) is not None
