"""Profiles that cannot work are refused, with every reason at once."""

from dataclasses import replace
from typing import Any

import pytest

from infra.profiles import (
    DEV,
    PROFILES,
    SCALE,
    STANDARD,
    STARTER,
    ImpossibleProfile,
    Profile,
    prefix_of,
    validate,
)


def with_(profile: Profile, **parts: dict[str, Any]) -> Profile:
    """A profile with some values of its parts changed."""
    return replace(
        profile, **{part: replace(getattr(profile, part), **v) for part, v in parts.items()}
    )


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: str(profile.name))
def test_the_four_profiles_can_work(profile: Profile) -> None:
    assert validate(profile) is profile


def test_the_standard_profile_can_have_a_warm_standby() -> None:
    profile = replace(STANDARD, region_mode="warm-standby")

    assert validate(profile).has_standby


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (with_(STANDARD, network={"zones": 1}), "Multi-AZ needs a second zone"),
        (with_(STANDARD, network={"zones": 1}), "zones=1: a load balancer and RDS need two"),
        (with_(STANDARD, network={"zones": 4}), "three are laid out"),
        (with_(SCALE, network={"zones": 2}), "an instance in each of three zones"),
        (with_(SCALE, database={"instance_class": "r8g.large"}), "a class with a local disk"),
        (with_(SCALE, database={"storage_gib": 100}), "come with 400 GiB"),
        (with_(SCALE, database={"multi_az": False}), "always in several zones"),
        (with_(STANDARD, database={"backup_days": 0}), "reaches back 1 to 35 days"),
        (with_(STANDARD, database={"storage_gib": 10}), "RDS starts at 20"),
        (with_(STANDARD, database={"max_storage_gib": 51}), "at least a tenth more"),
        (
            with_(STANDARD, database={"kind": "serverless", "min_acu": 9.0}),
            "Aurora capacity from 9.0 to 8.0",
        ),
        (
            with_(STANDARD, database={"kind": "serverless", "max_acu": 8.3}),
            "0.5 to 256 units, in halves",
        ),
        (with_(STANDARD, web={"min_instances": 1}), "when its zone fails, nobody serves"),
        (with_(STANDARD, web={"min_instances": 40}), "40 to 30 instances"),
        (with_(STANDARD, web={"on_demand_base": 31}), "on_demand_base=31"),
        (with_(STANDARD, web={"on_demand_percent": 101}), "is not a share"),
        (with_(STANDARD, web={"on_demand_base": 0, "on_demand_percent": 0}), "Spot instances"),
        (with_(STANDARD, web={"instance_types": ("m8g.large",)}), "Spot needs a choice"),
        (with_(STANDARD, web={"instance_types": ()}), "No instance type"),
        (with_(STANDARD, web={"instance_types": ("m7i.large", "m8g.large")}), "no Graviton"),
        (with_(STANDARD, web={"requests_per_instance": 0}), "would ever be enough"),
        (with_(STANDARD, web={"evening_instances": 99}), "evening_instances=99 lies outside"),
        (with_(SCALE, tables={"min_units": 0}), "1 at least"),
        (with_(SCALE, tables={"target_percent": 95}), "20 to 90 per cent"),
        (with_(STANDARD, pipeline={"events_at_once": 1}), "at least two at a time"),
        (with_(STANDARD, pipeline={"models_memory_mib": 512}), "a model needs 1,024"),
        (with_(STANDARD, watch={"log_days": 100}), "log_days=100"),
        (with_(STANDARD, watch={"canary_minutes": 90}), "canary_minutes=90"),
        (with_(STANDARD, watch={"budget_usd": 0}), "a budget is at least a dollar"),
        (with_(STARTER, edge={"plan": "free"}), "vpc_origin is used"),
        (with_(STARTER, edge={"plan": "pro"}), "custom_policies is used"),
        (with_(STARTER, edge={"plan": "business"}), "origin_group is used"),
        (with_(STANDARD, edge={"plan": "business"}), "origin_shield is used"),
        (replace(DEV, region_mode="warm-standby"), "data that may be deleted"),
        (replace(DEV, region_mode="warm-standby"), "the nearer failure comes first"),
        (replace(STARTER, region_mode="warm-standby"), "give each zone its own"),
        (replace(SCALE, region_mode="warm-standby"), "RDS copies no Multi-AZ DB cluster there"),
        (
            replace(STANDARD, region_mode="warm-standby", standby_region="eu-central-1"),
            "the region itself",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_work_is_refused(profile: Profile, reason: str) -> None:
    with pytest.raises(ImpossibleProfile) as refused:
        validate(profile)

    assert reason in str(refused.value)


def test_all_reasons_are_named_in_one_error() -> None:
    broken = with_(
        replace(STANDARD, name="mine"),
        network={"zones": 1},
        edge={"plan": "business"},
        watch={"budget_usd": 0},
    )

    with pytest.raises(ImpossibleProfile) as refused:
        validate(broken)

    assert len(refused.value.reasons) == 5
    assert str(refused.value).startswith("The profile 'mine' cannot work:\n")


def test_a_plan_that_has_every_feature_used_is_taken() -> None:
    validate(with_(STANDARD, edge={"plan": "premium"}))
    validate(with_(STARTER, edge={"plan": "business", "origin_group": False}))


def test_names_are_made_from_the_domain() -> None:
    assert prefix_of("shop.example") == "shop-example"


@pytest.mark.parametrize(
    "domain",
    ["", "shop", "Shop.Example", "-a.example", "a b.example", "3d.example", "a" * 50 + ".com"],
)
def test_a_domain_that_makes_no_names_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match=r"domain|prefix"):
        prefix_of(domain)
