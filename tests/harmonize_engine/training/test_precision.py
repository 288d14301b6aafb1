import pytest
import torch

from harmonize_engine.training import precision

processor = torch.device("cpu")


@pytest.fixture(autouse=True)
def asked_anew():
    precision.has_bfloat16.cache_clear()
    yield
    precision.has_bfloat16.cache_clear()


def product():
    return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize(
    ("abilities", "dtype"),
    [
        ({"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True, "cpu_name": "of today"}, torch.bfloat16),
    ],
)
def test_a_processor_computes_in_bfloat16_only_if_it_has_that(monkeypatch, abilities, dtype):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities, raising=False)
    with precision.bfloat16(processor):
        assert product() == dtype


def test_a_pytorch_that_cannot_tell_does_as_asked(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    with precision.bfloat16(processor):
        assert product() == torch.bfloat16
    with precision.bfloat16(processor, wanted=False):
        assert product() == torch.float32
