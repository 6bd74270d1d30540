"""What is known exactly of a block's best scores: some of its positions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.picking.matching.exact_scores import NOT_SEARCHED


@dataclass(frozen=True, eq=False)
class ExactMap:
    """Scores of the positions that were scored exactly.

    Parameters
    ----------
    score : (z, y, x), the best exact score of each position; `NOT_SEARCHED` where there is none
    index : (z, y, x), the rotation that gave it; -1 where there is none
    """

    score: NDArray[np.float32]
    index: NDArray[np.int32]

    @staticmethod
    def empty(shape: tuple[int, ...]) -> "ExactMap":
        """Make a map without scores."""
        return ExactMap(
            np.full(shape, NOT_SEARCHED, dtype=np.float32), np.full(shape, -1, dtype=np.int32)
        )

    def take(
        self,
        position: NDArray[np.int64],
        rotation: NDArray[np.int64],
        score: NDArray[np.float32],
    ) -> None:
        """Take in scores (m,) at positions (m, 3); of several for one the highest counts."""
        scored = score > NOT_SEARCHED
        position, rotation, score = position[scored], rotation[scored], score[scored]
        flat = np.ravel_multi_index(tuple(position.T), self.score.shape)
        order = np.lexsort((rotation, -score, flat))  # of equal scores the first rotation's
        flat, first = np.unique(flat[order], return_index=True)
        best = order[first]
        better = score[best] > self.score.ravel()[flat]
        self.score.ravel()[flat[better]] = score[best[better]]
        self.index.ravel()[flat[better]] = rotation[best[better]]
