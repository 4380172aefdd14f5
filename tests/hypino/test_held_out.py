"""Which rows the least squares see."""

import torch

from physolve.hypino import ProblemBatch
from physolve.hypino._held_out import HELD_OUT, Split


def test_every_row_that_asks_something_is_seen_or_held_out(problems) -> None:
    batch: ProblemBatch = problems()
    edge, split = batch.boundary, Split.of(batch)
    points, rim = batch.interior.shape[1], edge.points.shape[1]
    used = torch.cat([torch.ones(len(batch), points).bool(), edge.on_dirichlet, edge.on_neumann], 1)
    held = torch.cat([torch.arange(n) % HELD_OUT == 0 for n in (points, rim, rim)])
    for sample in range(len(batch)):
        seen, unseen = set(split.seen[sample].tolist()), set(split.unseen[sample].tolist())
        assert seen.isdisjoint(unseen)
        assert (used[sample] & ~held).nonzero()[:, 0].tolist() == sorted(i for i in seen if used[sample, i])
        assert (used[sample] & held).nonzero()[:, 0].tolist() == sorted(i for i in unseen if used[sample, i])
    assert split.seen.shape[1] < len(held) * (1 - 1 / HELD_OUT)  # unused rows are left out


def test_rows_are_taken_of_their_own_problem(problems) -> None:
    batch: ProblemBatch = problems()
    split = Split.of(batch)
    rows = batch.source.shape[1] + 2 * batch.boundary.points.shape[1]
    matrix = torch.arange(len(batch) * rows * 3.0).unflatten(0, (len(batch), rows, 3))
    expected = matrix.take_along_dim(split.seen.unsqueeze(-1), 1)
    torch.testing.assert_close(split.seen_of(matrix), expected)
    torch.testing.assert_close(split.unseen_of(matrix[..., 0]), matrix[..., 0].gather(1, split.unseen))
