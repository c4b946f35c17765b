"""The route: one `model` value of one provider, its rules as data, and how it is billed.

Every rule names its source document. A `doubt` is the text that a person sees where the documents contradict each other
or say nothing; such a rule warns and never forbids.

By default all rules allow everything, so a model that the catalogue lacks needs three fields:
`Route(provider="jimmy", model="seedance2.0-933", unit="second")`.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, cast

from pydantic import Field, model_validator

from prefect_seedance.messages import message
from prefect_seedance.routes.address import Scheme
from prefect_seedance.routes.capabilities import PROVIDERS, Capabilities, Library, Provider, capabilities_of
from prefect_seedance.routes.limit import Data, Limit, Rule
from prefect_seedance.routes.request import COLUMNS, FRAMES, Part

Unit = Literal["second", "job", "million_tokens"]
Acceptance = Literal["allowed", "doubtful", "refused"]
InputSeconds = Literal["free", "first", "all", "unstated"]

SWITCHES: tuple[str, ...] = tuple(name for name, column in COLUMNS.items() if column.optional)
"""The settings that a route may lack."""

if TYPE_CHECKING:
    Switch: TypeAlias = str
else:
    Switch = Literal[SWITCHES]

SCHEMES: tuple[Scheme, ...] = ("https", "asset", "data")


def switches_of(provider: Provider) -> tuple[str, ...]:
    """The switches that have a field in the create schema of a provider."""
    return tuple(switch for switch in SWITCHES if switch in capabilities_of(provider).fields)


class PromptRule(Rule):
    """When a prompt is needed, and how long it may be."""

    needed: Literal["always", "without_media", "never"] = "without_media"
    maximum: int | None = Field(default=None, ge=1, description="Hard limit, in characters.")
    advised_chinese: int | None = Field(default=None, ge=1, description="Chinese characters, by the provider's advice.")
    advised_words: int | None = Field(default=None, ge=1, description="English words, by the provider's advice.")


class DurationRule(Rule):
    """The duration in whole seconds. Between the outer and the sure bounds the documents disagree."""

    minimum: int = Field(default=1, ge=1)
    maximum: int | None = None
    default: int = 5
    sure_minimum: int | None = None
    sure_maximum: int | None = None

    @model_validator(mode="after")
    def _default_is_within(self) -> Self:
        if self.default < self.minimum or (self.maximum is not None and self.default > self.maximum):
            raise ValueError(message("route.default_duration", seconds=self.default))
        return self


class ResolutionRule(Rule):
    """Which resolutions a route makes. A route with a fixed resolution allows only that one."""

    allowed: tuple[str, ...] = Field(default=(), description="Empty: not known, anything goes.")
    doubtful: tuple[str, ...] = Field(default=(), description="Those of `allowed` that only warn.")
    default: str | None = None


class RatioRule(Rule):
    """Which ratios a route makes. A list that is not closed contains the documents' examples; others may work too."""

    listed: tuple[str, ...] = ()
    closed: bool = False
    default: str | None = None


class MediaRule(Rule):
    """Whether a kind of media may be sent, how many, from where, in which formats, how large and how long.

    `schemes` are the addresses that the provider accepts directly; for others see `form_of`.
    """

    verdict: Acceptance = "allowed"
    maximum: int | None = Field(default=None, ge=1)
    schemes: tuple[Scheme, ...] = SCHEMES
    formats: tuple[str, ...] = Field(default=(), description="Empty: not stated.")
    doubtful_formats: tuple[str, ...] = ()
    refused_formats: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = Field(default=(), description="What each medium, or all together, must keep to.")


class FrameRule(MediaRule):
    """The rules of the first and the last image: those of media, and whether one may be sent without the other."""

    first_alone: Acceptance = "allowed"
    last_alone: Acceptance = "allowed"


class PairingRule(Rule):
    """Reference audio needs one of the parts in `needs`; a part in `doubtful` may be enough."""

    needs: tuple[Part, ...] = Field(default=(), description="Empty: audio may go alone.")
    doubtful: tuple[Part, ...] = ()


class Exclusion(Rule):
    """A part of the request that cannot be combined with others."""

    part: Part
    others: tuple[Part, ...]


class Expectation(Rule):
    """Parts of which a route seems to need one; the documents do not say what happens without any of them."""

    parts: tuple[Part, ...] = ()


class Route(Data):
    """One `model` value of one provider: what it accepts, what it makes, how it is billed. JSON-able and frozen.

    Attributes:
        billing_model: Name of the price line; `{resolution}` is replaced by the request's resolution or the default.
        billing_model_with_video: The price line of requests with reference videos, where it is a separate one.
        billing_documented: False where no document names the price line and this package chose the name. Prices are
            given under this name in both cases; a user who knows another one sets `billing_model`.
        billing_doubt: What the documents leave open about the bill; a note on every quote.
        library: Where media are reviewed and become `asset://` ids: the SP library and its whitelist of real persons
            (`sp`), the audit of Full (`audit`, undocumented), Anyfast's assets (`volc`); empty: no review.
        input_seconds: Which reference video is billed: none (`free`), the `first`, `all`, or not stated.
        sources: The documents of the route as a whole.
    """

    provider: Provider
    model: str = Field(min_length=1)
    unit: Unit
    title: str = Field(default="", description="The route's name for people; default: the model.")
    billing_model: str = Field(default="", description="Price line; default: the model.")
    billing_model_with_video: str | None = None
    billing_documented: bool = False
    billing_doubt: str = ""
    library: Library = ""
    input_seconds: InputSeconds = "unstated"
    prompt: PromptRule = PromptRule()
    duration: DurationRule = DurationRule()
    resolution: ResolutionRule = ResolutionRule()
    ratio: RatioRule = RatioRule()
    images: MediaRule = MediaRule()
    frames: FrameRule = FrameRule()
    reference_videos: MediaRule = MediaRule()
    reference_audios: MediaRule = MediaRule()
    audio_pairing: PairingRule = PairingRule()
    exclusions: tuple[Exclusion, ...] = ()
    expectation: Expectation = Expectation()
    body: Limit | None = Field(default=None, description="Size of a request with its data URIs.")
    switches: tuple[Switch, ...] = Field(default=SWITCHES, description="The switches that the route honours.")
    sources: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        model = data.get("model")
        # Some libraries belong to the provider's account, not to a model.
        library = next((each.library for each in PROVIDERS if each.provider == data.get("provider")), "")
        return {
            "library": library,
            **data,
            "title": data.get("title") or model,
            "billing_model": data.get("billing_model") or model,
        }

    @model_validator(mode="after")
    def _billing_model_can_be_formatted(self) -> Self:
        for template in (self.billing_model, self.billing_model_with_video or ""):
            fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
            if fields - {"resolution"}:
                raise ValueError(message("route.billing_model_field", template=template))
            if fields and self.resolution.default is None:
                raise ValueError(message("route.billing_model_without_default", template=template))
        return self

    @property
    def name(self) -> str:
        """Provider and model, as messages name the route."""
        return f"{self.provider}/{self.model}"

    @property
    def capabilities(self) -> Capabilities:
        """What the provider offers on every route."""
        return capabilities_of(self.provider)

    def media_rule(self, part: Part) -> MediaRule:
        """The rule of one kind of media.

        Raises:
            TypeError: The part is `web_search`, which is no medium.
        """
        rule = getattr(self, part)
        if not isinstance(rule, MediaRule):
            raise TypeError(f"{part} is no kind of media")
        return rule

    def medium(self, field: str) -> MediaRule:
        """The rule of the media in one field of a request; both frames share one rule."""
        return self.frames if field in FRAMES else self.media_rule(cast("Part", field))
