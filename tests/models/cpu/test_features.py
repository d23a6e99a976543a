import pytest

from hf_rumor.models.cpu.features import has_amx, has_bf16


@pytest.mark.parametrize(("amx", "avx512"), [(True, False), (False, True), (False, False)])
def test_either_feature_computes_bf16(monkeypatch, amx, avx512):
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx512)
    assert (has_amx(), has_bf16()) == (amx, amx or avx512)
