"""The simplest finite volumes on stations in a square, written apart from the package: what can be recovered at all."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import Voronoi


@dataclass(frozen=True, eq=False)
class Mesh:
    """Voronoi cells of points (n, 2) in the square from (0, 0) to (size, size): their faces (2, E), lengths, areas."""

    points: np.ndarray
    size: float

    @cached_property
    def _diagram(self):
        images = [self.points]
        for axis in (0, 1):
            for wall in (0.0, self.size):
                image = self.points.copy()
                image[:, axis] = 2 * wall - image[:, axis]
                images.append(image)
        diagram = Voronoi(np.vstack(images))
        pairs = np.sort(diagram.ridge_points, axis=1)
        inside = pairs[:, 0] < len(self.points)
        ends = np.array([v if -1 not in v else [0, 0] for v in diagram.ridge_vertices])
        length = np.linalg.norm(np.diff(diagram.vertices[ends], axis=1)[:, 0], axis=-1)
        distance = np.linalg.norm(np.diff(diagram.points[pairs], axis=1)[:, 0], axis=-1)
        return pairs[inside], length[inside], distance[inside]

    @cached_property
    def areas(self):
        pairs, length, distance = self._diagram
        total = np.zeros(len(self.points))
        for side in (0, 1):
            mine = pairs[:, side] < len(total)
            np.add.at(total, pairs[mine, side], (length * distance / 4)[mine])
        return total

    @cached_property
    def faces(self):
        pairs, length, distance = self._diagram
        inner = pairs[:, 1] < len(self.points)
        return pairs[inner].T, length[inner], distance[inner]

    @cached_property
    def incidence(self):
        """(n, E): what flows along a face leaves its first cell."""
        (i, j), _, _ = self.faces
        B = np.zeros((len(self.points), len(i)))
        B[i, np.arange(len(i))], B[j, np.arange(len(i))] = 1, -1
        return B

    @cached_property
    def laplacian(self):
        _, length, distance = self.faces
        B = self.incidence
        return -(B * (length / distance)) @ B.T / self.areas[:, None]

    def fluxes(self, wind):
        """(T, E) of winds (T, n, 2) at the points, made free of divergence."""
        (i, j), length, distance = self.faces
        along = (self.points[j] - self.points[i]) / distance[:, None]
        q = np.einsum("tek,ek->te", (wind[:, i] + wind[:, j]) / 2, along) * length
        B, G = self.incidence, length / distance
        return q - (q @ B.T @ np.linalg.pinv((B * G) @ B.T)) @ (B * G)


@dataclass(frozen=True, eq=False)
class Scheme:
    """dc/dt = D Lc - gain div(q c) - k c + s in hours, steps of `hours` by Runge-Kutta; p = (D, gain, k, s_1...s_n)."""

    mesh: Mesh
    hours: float = 3.0
    pieces: int = 4

    def rate(self, p, c, q):
        (i, j), _, _ = self.mesh.faces
        out = (q * (c[:, i] + c[:, j]) / 2) @ self.mesh.incidence.T / self.mesh.areas
        return p[0] * c @ self.mesh.laplacian.T - p[1] * out - p[2] * c + p[3:]

    def step(self, p, c, q0, q1):
        h = self.hours / self.pieces
        for m in range(self.pieces):
            qa, qm, qb = (q0 + (q1 - q0) * (m + part) / self.pieces for part in (0, 0.5, 1))
            k1 = self.rate(p, c, qa)
            k2 = self.rate(p, c + h / 2 * k1, qm)
            k3 = self.rate(p, c + h / 2 * k2, qm)
            c = c + h / 6 * (k1 + 2 * k2 + 2 * k3 + self.rate(p, c + h * k3, qb))
        return c

    def fit(self, c, q, fixed_gain):
        """Gauss-Newton on the errors of single steps."""
        p = np.concatenate([[100.0, 1.0, 0.03], np.ones(c.shape[1])])
        for _ in range(4):
            error = (self.step(p, c[:-1], q[:-1], q[1:]) - c[1:]).ravel()
            J = np.stack([self._slope(p, m, c, q, error) for m in range(len(p))], 1)
            J[:, 1] *= not fixed_gain
            p = p - np.linalg.lstsq(J, error, rcond=None)[0]
        return p

    def _slope(self, p, m, c, q, error):
        shifted = p.copy()
        shifted[m] += 1e-4 * max(abs(p[m]), 0.1)
        moved = (self.step(shifted, c[:-1], q[:-1], q[1:]) - c[1:]).ravel()
        return (moved - error) / (shifted[m] - p[m])

    def rollout(self, p, c, q, starts, steps):
        """(steps, starts, n) forecasts from c at `starts`."""
        now, states = c[starts], []
        for m in range(steps):
            now = self.step(p, now, q[starts + m], q[starts + m + 1])
            states.append(now)
        return np.stack(states)
