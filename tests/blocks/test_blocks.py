"""The blocks as Prefect knows them: standards, saving and loading, and secrets that stay in."""

from __future__ import annotations

import importlib.metadata
import inspect
import pickle

import pytest
from prefect.blocks.core import Block
from prefect.utilities.dispatch import get_registry_for_type
from prefect.utilities.importtools import to_qualified_name

import prefect_seedance
from prefect_seedance.blocks import AnyfastCredentials, JimmyCredentials, PriceBook, RouteDefaults
from prefect_seedance.blocks.loading import load_routes
from prefect_seedance.routes import CATALOGUE
from tests.blocks.standards import Standards

SECRET = "sk_do_not_show_9f3a71"
# As `prefect block register -m prefect_seedance` looks for them.
OURS = [block for _, block in inspect.getmembers(prefect_seedance) if Block.is_block_class(block)]


def test_the_suite_finds_our_blocks():
    names = {block.__name__ for block in OURS}
    assert names == {"AnyfastCredentials", "JimmyCredentials", "PriceBook", "RouteDefaults", "VideoJob"}
    known = {block for block in (get_registry_for_type(Block) or {}).values() if is_ours(block)}
    assert known == set(OURS), "a block that the package does not name is not registered"


def is_ours(block: type[Block]) -> bool:
    return to_qualified_name(block).startswith("prefect_seedance.")


@pytest.mark.parametrize("block", OURS)
class TestStandards(Standards):
    @pytest.fixture
    def block(self, block):
        return block


@pytest.mark.parametrize("block", OURS)
def test_every_field_of_the_form_is_explained(block):
    own = {name: field for name, field in block.model_fields.items() if name in block.__annotations__}
    assert [name for name, field in own.items() if not field.description] == []
    assert str(block._documentation_url).startswith("https://")


def test_the_collection_is_announced():
    found = importlib.metadata.entry_points(group="prefect.collections")
    assert "prefect_seedance" in [each.value for each in found]


@pytest.mark.parametrize(
    ("kind", "model"), [(JimmyCredentials, "seedance2.0-mini"), (AnyfastCredentials, "seedance-2.0-mini")]
)
def test_a_route_is_saved_and_loaded_with_its_account_and_prices(prefect_server, kind, model):
    route = RouteDefaults(
        credentials=kind(api_key=SECRET, account="studio", refusal_codes=["E42"]),
        model=model,
        duration=5,
        ratio="16:9",
        prices=PriceBook(currency="CNY", prices={"seedance2.0-mini-720p": "0.05", "seedance-2.0-mini": "23"}),
        max_in_flight=7,
        poll_seconds=2.5,
    )
    name = f"spring-{kind.__name__.lower()}"
    route.save(name, overwrite=True)
    loaded = RouteDefaults.load(name)
    assert isinstance(loaded.credentials, kind)
    assert loaded.credentials.api_key.get_secret_value() == SECRET
    assert loaded.credentials.account == "studio"
    assert loaded.model_dump(exclude={"credentials", "prices"}) == route.model_dump(exclude={"credentials", "prices"})
    assert loaded.prices.prices == route.prices.prices
    assert loaded.to_settings() == route.to_settings() or str(loaded.to_settings()) == str(route.to_settings())


def test_nested_blocks_are_kept_by_reference(prefect_server):
    """Keys are rotated in one place: the route follows."""
    credentials = JimmyCredentials(api_key="sk_old")
    credentials.save("shared", overwrite=True)
    RouteDefaults(credentials=JimmyCredentials.load("shared"), model="seedance2.0-mini").save("nested", overwrite=True)
    JimmyCredentials(api_key="sk_new").save("shared", overwrite=True)
    assert RouteDefaults.load("nested").credentials.api_key.get_secret_value() == "sk_new"


def test_no_form_of_a_block_shows_its_key(prefect_server):
    credentials = JimmyCredentials(api_key=SECRET)
    route = RouteDefaults(credentials=credentials, model="seedance2.0-mini")
    settings = route.to_settings()
    account = credentials.to_account()
    for shown in (
        *(repr(each) for each in (credentials, route, settings, account, credentials.get_client())),
        *(str(each) for each in (credentials, route, settings, account)),
        *(str(each.model_dump()) for each in (credentials, route)),
        *(each.model_dump_json() for each in (credentials, route)),
    ):
        assert SECRET not in shown


def test_every_route_of_the_catalogue_can_be_a_block():
    for known in CATALOGUE:
        kind = JimmyCredentials if known.provider == "jimmy" else AnyfastCredentials
        route = RouteDefaults(credentials=kind(api_key="sk-x"), model=known.model)
        assert (route.provider, route.to_route()) == (known.provider, known)


def test_a_route_that_the_catalogue_lacks_can_be_told(prefect_server):
    custom = {"provider": "jimmy", "model": "seedance3.0", "unit": "second"}
    route = RouteDefaults(credentials=JimmyCredentials(api_key="sk-x"), model="seedance3.0", custom_route=custom)
    assert route.to_route().unit == "second"
    route.save("future", overwrite=True)
    assert RouteDefaults.load("future").to_route() == route.to_route()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"model": "seedance2.0-min"}, "seedance2.0-mini"),
        ({"model": "seedance-2.0-mini"}, "jimmy|provider"),
        ({"max_in_flight": 0}, "max_in_flight"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"durration": 5}, "durration"),
        ({"max_inflight": 5}, "max_in_flight"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_block_that_cannot_work_is_refused_when_it_is_made(fields, text):
    """Or at the latest when it becomes settings: before a run spends anything."""
    made = {"credentials": JimmyCredentials(api_key="sk-x"), "model": "seedance2.0-mini", **fields}
    with pytest.raises(Exception, match=text):
        RouteDefaults(**made).to_settings()


@pytest.mark.parametrize(
    ("kind", "fields"),
    [(JimmyCredentials, {"api_key": "sk-x", "acount": "b"}), (PriceBook, {"currency": "CNY", "price": {"a": "1"}})],
)
def test_a_misspelt_field_is_not_lost_in_silence(kind, fields):
    with pytest.raises(ValueError, match="misspelt"):
        kind(**fields)


def test_spending_limits_go_with_the_account():
    texts = {"spending_limit_per_day": " 20 cny", "spending_limit_per_month": "300 CNY"}
    account = JimmyCredentials(api_key="sk-x", spending_time_zone="Asia/Shanghai", **texts).to_account()
    assert [(str(limit), limit.time_zone) for limit in account.spending_limits] == [
        ("20 CNY a day", "Asia/Shanghai"),
        ("300 CNY a month", "Asia/Shanghai"),
    ]
    # They make no other account of it: two blocks of one account share its client.
    assert account == JimmyCredentials(api_key="sk-x").to_account()
    assert AnyfastCredentials(api_key="sk-x").to_account().spending_limits == ()


@pytest.mark.parametrize(
    "fields",
    [{"spending_limit_per_day": "20"}, {"spending_limit_per_month": "CNY"}, {"spending_time_zone": "Shanghai"}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_spending_limit_that_means_nothing_is_refused_when_the_block_is_made(fields):
    with pytest.raises(ValueError, match="Nothing was spent"):
        JimmyCredentials(api_key="sk-x", **fields)


async def test_of_two_blocks_of_one_account_the_lower_limit_holds():
    def route(**fields):
        credentials = JimmyCredentials(api_key="sk-x", **fields)
        return RouteDefaults(credentials=credentials, model="seedance2.0-mini")

    routes = [
        route(spending_limit_per_day="20 CNY"),
        route(spending_limit_per_day="10 CNY", spending_limit_per_month="90 CNY"),
        route(account="other"),
    ]
    limits = [tuple(map(str, each.account.spending_limits)) for each in await load_routes(routes)]
    assert limits == [("10 CNY a day", "90 CNY a month")] * 2 + [()]


def test_a_block_survives_a_process_boundary():
    credentials = pickle.loads(pickle.dumps(JimmyCredentials(api_key=SECRET)))
    assert credentials.api_key.get_secret_value() == SECRET


async def test_a_client_by_itself(sandbox):
    async with JimmyCredentials(api_key="sk_sandbox", base_url=sandbox.url).get_client() as client:
        assert (await client.balance()).raw
