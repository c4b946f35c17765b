"""The complaint: what an error answer in a provider's own form says, and what kind of trouble its words tell of.

No provider publishes a whole list of its codes, so words count as well. They are read with law 2 in mind: what
sounds like trouble behind the gateway proves nothing, and only a plain word about the request, the key, the funds
or the pace lets an answer count as a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto


class ErrorKind(Enum):
    """What a complaint tells."""

    REFUSED = auto()
    MODERATED = auto()
    FUNDS = auto()
    LIMITED = auto()
    KEY = auto()
    GONE = auto()
    TROUBLE = auto()
    """Trouble at the provider or behind it: whether a job was made cannot be told."""


@dataclass(frozen=True)
class ErrorBody:
    """An error in the provider's own form.

    Attributes:
        kind: What it tells.
        codes: The codes from the outside in; a gateway may wrap the error of whoever stands behind it.
        text: The innermost message.
        relayed: Whether it was passed on from behind the gateway; then the HTTP status tells nothing about our key.
    """

    kind: ErrorKind
    codes: tuple[str, ...]
    text: str
    relayed: bool = False

    @property
    def code(self) -> str | None:
        """The innermost code: it tells most."""
        return self.codes[-1] if self.codes else None


# An error's sense stands at its beginning; a body may be a million characters.
_LONGEST_WORDS = 4000


def _pattern(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# Something broke on the way: a job may or may not have been made.
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
# Too weak to prove trouble where a documented code says otherwise, strong enough to leave doubt everywhere else.
_DOUBT = _pattern(r"upstream", r"上游", r"稍后", r"重试", r"\bretry\b", r"try again", r"unknown error", r"未知错误")

# The route itself takes nothing: upstream codes, the gateway's own, and how such a thing is put into words.
_CLOSED = _pattern(
    r"^(?:model_not_found|modelnotopen|unsupportedmodel|invalidendpoint\.closedendpoint)$",
    r"(?:model|route|channel|endpoint|线路|模型|通道).{0,40}?(?:under|in|for) maintenance",
    r"(?:model|route|channel|endpoint)(?: \S+)? (?:is|was|has been) (?:closed|offline|taken down|retired)",
    r"no available channel", r"(?:线路|模型|通道).{0,12}(?:维护|关闭|下线|停用|暂停)", r"不支持的模型参数",
)  # fmt: skip

_PLAIN = (
    (ErrorKind.FUNDS, _FUNDS),
    (ErrorKind.LIMITED, _LIMITED),
    (ErrorKind.MODERATED, _MODERATED),
    (ErrorKind.KEY, _KEY),
    (ErrorKind.GONE, _GONE),
)


def kind_of_words(words: str, *, documented: bool = False) -> ErrorKind:
    """Tell the kind of a complaint from its codes and its message.

    Args:
        words: Codes and message in one text.
        documented: Whether the documents call the code a refusal, so that a mere "please retry" leaves no doubt.
    """
    words = words[:_LONGEST_WORDS]
    if _BREAKDOWN.search(words):
        return ErrorKind.TROUBLE
    plain = next((kind for kind, pattern in _PLAIN if pattern.search(words)), None)
    if plain is not None:
        return plain
    return ErrorKind.REFUSED if documented or not _DOUBT.search(words) else ErrorKind.TROUBLE


def speaks_of_closure(words: Iterable[str]) -> bool:
    """Whether a refusal is the route's and not the request's: it is closed, or not on sale for this key."""
    return any(_CLOSED.search(text[:_LONGEST_WORDS]) for text in words)


def speaks_of_moderation(words: str) -> bool:
    """Whether the reason of a failed job lies in what the prompt, the media or the result show."""
    return _MODERATED.search(words[:_LONGEST_WORDS]) is not None
