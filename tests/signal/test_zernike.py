import torch

from subtomo.signal.zernike import even_phase, odd_phase

POINT = torch.tensor([[0.3, 0.4]])  # radius 0.5, cosine 0.6, sine 0.8 of its angle


def single(index, n=9):
    return [1.0 if i == index else 0.0 for i in range(n)]


def test_even_terms_by_hand():
    # Z(0,0); then n = 2: m = -2, 0, 2; then n = 4: m = -4 ... 4
    r, cos2, sin2 = 0.5, 0.6**2 - 0.8**2, 2 * 0.6 * 0.8
    wanted = {
        0: 1.0,
        1: r**2 * sin2,
        2: 2 * r**2 - 1,
        3: r**2 * cos2,
        6: 6 * r**4 - 6 * r**2 + 1,
        7: (4 * r**4 - 3 * r**2) * cos2,
    }
    for index, value in wanted.items():
        found = even_phase(single(index), POINT)
        torch.testing.assert_close(found, torch.tensor([value], dtype=torch.float64))


def test_odd_terms_by_hand():
    # n = 1: m = -1, 1; then n = 3: m = -3, -1, 1, 3
    r, cos, sin = 0.5, 0.6, 0.8
    wanted = {
        0: r * sin,
        1: r * cos,
        2: r**3 * (3 * sin - 4 * sin**3),
        3: (3 * r**3 - 2 * r) * sin,
        4: (3 * r**3 - 2 * r) * cos,
        5: r**3 * (4 * cos**3 - 3 * cos),
    }
    for index, value in wanted.items():
        found = odd_phase(single(index), POINT)
        torch.testing.assert_close(found, torch.tensor([value], dtype=torch.float64))


def test_symmetric_and_antisymmetric_terms_are_so():
    coefficients = [0.3, -1.0, 2.0, 0.5, 1.5, -0.7, 0.2, 0.9, -0.4]
    torch.testing.assert_close(even_phase(coefficients, -POINT), even_phase(coefficients, POINT))
    torch.testing.assert_close(odd_phase(coefficients, -POINT), -odd_phase(coefficients, POINT))
