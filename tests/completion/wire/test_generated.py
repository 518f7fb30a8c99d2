"""The stubs are those of the contract."""

from pathlib import Path

import pytest

from completion.filters.stop_rule import StopReason
from completion.wire import completion_pb2 as pb
from completion.wire.channel import SERVICE_NAME
from completion.wire.generate import drift

ROOT = Path(__file__).parents[3]


def test_the_stubs_are_what_the_contract_gives_now():
    pytest.importorskip("grpc_tools")
    assert drift() == []


def test_the_contract_has_one_file():
    assert [path.name for path in (ROOT / "proto").iterdir()] == ["completion.proto"]


def test_the_health_service_knows_the_service_by_its_name():
    assert pb.DESCRIPTOR.services_by_name["CompletionService"].full_name == SERVICE_NAME


def test_stop_reasons_have_the_numbers_of_the_contract():
    wire = {name.removeprefix("STOP_REASON_"): number for name, number in pb.StopReason.items()}
    assert {reason.name: reason.value for reason in StopReason} == {
        name: number for name, number in wire.items() if number
    }
