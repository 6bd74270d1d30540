import pytest
import torch
from torch.nn.functional import conv3d

from subtomo.picking.matching.block_correlation import BlockCorrelation


@pytest.mark.slow
def test_correlation_equals_the_sum_over_the_template():
    torch.manual_seed(0)
    block = torch.randn(20, 24, 31, dtype=torch.float64)
    template = torch.randn(5, 5, 5, dtype=torch.complex128)
    got = BlockCorrelation(block, 5).correlate(template)
    real, imaginary = (
        conv3d(block[None, None], part[None, None])[0, 0] for part in (template.real, template.imag)
    )
    torch.testing.assert_close(got, torch.complex(real, imaginary))


def test_planes_come_in_order_and_cover_all():
    torch.manual_seed(0)
    correlation = BlockCorrelation(torch.randn(300, 40, 40), 6)
    template = torch.randn(6, 6, 6, dtype=torch.complex64)
    starts = [(z, len(planes)) for z, planes in correlation.planes(template)]
    assert len(starts) > 1
    assert [z for z, _ in starts] == [sum(n for _, n in starts[:i]) for i in range(len(starts))]
    assert sum(n for _, n in starts) == 295
