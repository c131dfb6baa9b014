"""Colours of an avatar as functions of the place on its surface: the same from every view."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from motionfield.worlds.avatars.dress import Avatar, LayerKind
from motionfield.worlds.avatars.noise import NoiseVolume
from motionfield.worlds.avatars.outfit import Cloth, Colour

_GAMMA: Final = 2.2
_SOLE_M: Final = 0.022


class Painter(NamedTuple):
    """An avatar and the noise that its skin and clothes are made with."""

    avatar: Avatar
    fine: NoiseVolume
    smooth: NoiseVolume

    def colours(
        self, canonical: Float[ndarray, "points 3"], layer: Int[ndarray, "points"]
    ) -> Float[ndarray, "points 3"]:
        """Albedo (linear red, green, blue) at places of the surface."""
        albedo = np.zeros((len(canonical), 3), np.float32)
        painters = {
            LayerKind.SKIN: self._skin,
            LayerKind.TOP: self._top,
            LayerKind.BOTTOM: self._bottom,
            LayerKind.SHOE: self._shoe,
            LayerKind.HAIR: self._hair,
        }
        for kind, paint in painters.items():
            chosen = np.flatnonzero(layer == kind)
            if len(chosen):
                albedo[chosen] = paint(canonical[chosen])
        return albedo

    def _skin(self, place: ndarray) -> ndarray:
        outfit, points = self.avatar.outfit, self.avatar.figure.points
        colour = _rows(outfit.skin, len(place))
        colour *= 1 + 0.05 * self.smooth.at(place, 0.6)[:, None]
        colour *= 1 + 0.025 * self.fine.at(place, 0.12)[:, None]
        # Knees, elbows, hands and feet are a little redder and darker.
        red = np.zeros(len(place), np.float32)
        for name in ("left_elbow", "right_elbow", "left_knee", "right_knee"):
            red += np.exp(-((np.linalg.norm(place - points[name], axis=1) / 0.05) ** 2))
        red += 0.6 * (np.abs(place[:, 0]) > abs(points["left_index"][0]) - 0.03)
        _tint(colour, 0.5 * red, (0.92, 0.80, 0.78))
        head = place[:, 1] > points["left_mouth"][1] - 0.08
        if head.any():
            at = np.flatnonzero(head)
            colour[at] = self._face(place[at], colour[at])
        ankle = self.avatar.figure.joints["left_ankle"][1]
        sock = place[:, 1] < ankle + outfit.sock_height_m
        colour[sock] = _linear(outfit.sock) * (1 + 0.04 * self.fine.at(place[sock], 0.08)[:, None])
        return colour

    def _face(self, place: ndarray, colour: ndarray) -> ndarray:
        points, outfit = self.avatar.figure.points, self.avatar.outfit
        hair = _linear(outfit.hair)
        front = place[:, 2] > points["left_ear"][2] + 0.02
        for side in ("left", "right"):
            eye, outer, inner = (points[f"{side}_eye{part}"] for part in ("", "_outer", "_inner"))
            across = place[:, 0] - eye[0]
            up = place[:, 1] - eye[1]
            half = abs(outer[0] - inner[0]) / 2
            lid = np.exp(-((across / (1.35 * half)) ** 2) - (up / 0.011) ** 2) * front
            _tint(colour, 0.75 * lid, (0.52, 0.40, 0.38))
            brow_up = up - 0.017 + 8 * np.maximum(0, np.abs(across) - 0.006) ** 2
            brow = np.exp(-((brow_up / 0.0045) ** 2)) * (np.abs(across) < 0.021) * front
            _mix(colour, 0.85 * brow, 0.7 * hair)
            cheek = np.exp(-((across / 0.022) ** 2) - ((up + 0.045) / 0.02) ** 2) * front
            _tint(colour, 0.5 * cheek, (1.0, 0.82, 0.80))
            nose = points["nose"]
            nostril = (
                place[:, 0] - nose[0] - np.sign(eye[0]) * 0.008,
                place[:, 1] - nose[1] + 0.012,
            )
            hole = np.exp(-((nostril[0] / 0.005) ** 2) - (nostril[1] / 0.004) ** 2) * front
            _tint(colour, 0.7 * hole, (0.3, 0.2, 0.2))
        mouth = (points["left_mouth"] + points["right_mouth"]) / 2
        width = abs(points["left_mouth"][0] - mouth[0])
        across, up = place[:, 0] / width, place[:, 1] - mouth[1]
        lips = np.exp(
            -((across / 0.95) ** 6) - (up / (0.008 * (1.15 - 0.5 * np.minimum(1, across**2)))) ** 4
        )
        _tint(colour, 0.8 * lips * front, (0.80, 0.48, 0.48))
        gap = np.exp(-((across / 0.95) ** 6) - (up / 0.0018) ** 2) * front
        _tint(colour, 0.8 * gap, (0.30, 0.16, 0.16))
        self._eyeballs(place, colour)
        if outfit.hair_style == "shaved" or outfit.hair_m < 0.012:
            beard = np.exp(-(((place[:, 1] - mouth[1] + 0.03) / 0.03) ** 4)) * front
            _mix(colour, 0.16 * beard, hair)
        return colour

    def _eyeballs(self, place: ndarray, colour: ndarray) -> None:
        points = self.avatar.figure.points
        for side in ("left", "right"):
            eye = points[f"{side}_eye"]
            away = place - eye
            ball = (
                (np.abs(away[:, 0]) < 0.013) & (np.abs(away[:, 1]) < 0.006) & (away[:, 2] > -0.02)
            )
            radius = np.hypot(away[:, 0], away[:, 1])
            colour[ball] = (0.72, 0.70, 0.68)
            colour[ball & (radius < 0.0062)] = _linear(self.avatar.outfit.eye)
            colour[ball & (radius < 0.0028)] = 0.01

    def _top(self, place: ndarray) -> ndarray:
        joints, cloth = self.avatar.figure.joints, self.avatar.outfit.top
        on_sleeve = np.abs(place[:, 0]) > joints["left_shoulder"][0] + 0.015
        along = np.where(on_sleeve, np.abs(place[:, 0]), place[:, 1])
        across = np.where(on_sleeve, place[:, 1], place[:, 0])
        colour = self._cloth(cloth, place, along, across)
        if cloth.pattern == "logo":
            chest = joints["spine3"]
            inside = (np.abs(place[:, 0] - chest[0]) < 0.09) & (place[:, 2] > chest[2])
            inside &= (np.abs(place[:, 1] - chest[1] + 0.01) < 0.06) & ~on_sleeve
            letters = np.sin(place[:, 0] * 260) * np.sin(place[:, 1] * 130 + 1) > -0.2
            colour[inside & letters] = _linear(cloth.second)
            # A number on the back.
            back = (np.abs(place[:, 0]) < 0.08) & (np.abs(place[:, 1] - chest[1]) < 0.09)
            back &= (place[:, 2] < chest[2]) & (np.abs(np.abs(place[:, 0]) - 0.045) < 0.016)
            colour[back] = _linear(cloth.second)
        return colour

    def _bottom(self, place: ndarray) -> ndarray:
        return self._cloth(self.avatar.outfit.bottom, place, place[:, 1], place[:, 0])

    def _cloth(self, cloth: Cloth, place: ndarray, along: ndarray, across: ndarray) -> ndarray:
        colour = _rows(cloth.colour, len(place))
        band = {
            "stripes": np.mod(along, cloth.repeat_m) < 0.5 * cloth.repeat_m,
            "upright": np.mod(across, cloth.repeat_m) < 0.3 * cloth.repeat_m,
        }
        second = _linear(cloth.second)
        if cloth.pattern in band:
            colour[band[cloth.pattern]] = second
        if cloth.pattern == "checks":
            crossing = (band["stripes"].astype(np.float32) + band["upright"]) / 2
            _mix(colour, 0.8 * crossing, second)
        if cloth.pattern == "sides":
            colour[np.abs(place[:, 2] - self._seam_z(place)) < 0.013] = second
        # Folds run down and across; weave is finer than most pixels.
        folds = self.smooth.at(place, np.array((0.25, 0.55, 0.25)))
        weave = self.fine.at(place, 0.07)
        colour *= (1 + 0.13 * np.tanh(folds) + 0.04 * weave)[:, None]
        return colour

    def _seam_z(self, place: ndarray) -> ndarray:
        """The side seam: in the middle of the leg's outer side, nowhere on its inner side."""
        hip = self.avatar.figure.joints["left_hip"]
        outer = np.abs(place[:, 0]) > abs(hip[0]) + 0.03
        return np.where(outer, hip[2] + 0.01, np.inf)

    def _shoe(self, place: ndarray) -> ndarray:
        cloth, figure = self.avatar.outfit.shoe, self.avatar.figure
        colour = _rows(cloth.colour, len(place)) * (1 + 0.06 * self.fine.at(place, 0.1)[:, None])
        toe = figure.points["left_foot_index"]
        ankle = figure.joints["left_ankle"]
        middle = np.abs(np.abs(place[:, 0]) - (ankle[0] + toe[0]) / 2) < 0.018
        laces = middle & (place[:, 2] > ankle[2] + 0.04) & (place[:, 2] < toe[2] - 0.07)
        colour[laces & (np.sin(place[:, 2] * 420) > 0)] = (0.75, 0.75, 0.72)
        if cloth.pattern == "sides":
            band = np.mod(place[:, 2] + 0.6 * place[:, 1], 0.04) < 0.012
            colour[band & (place[:, 2] > 0.0) & (place[:, 2] < 0.09) & ~middle] = _linear(
                cloth.second
            )
        sole = place[:, 1] < self._sole_y() + _SOLE_M
        colour[sole] = _linear((0.85, 0.85, 0.82) if cloth.colour[0] < 0.8 else cloth.second)
        under = place[:, 1] < self._sole_y() + 0.004
        colour[under] = (0.12, 0.12, 0.12)
        return colour

    def _sole_y(self) -> float:
        return float(self.avatar.figure.canonical[:, 1].min())

    def _hair(self, place: ndarray) -> ndarray:
        colour = _rows(self.avatar.outfit.hair, len(place))
        strands = self.fine.at(place, np.array((0.05, 0.6, 0.12)))
        return colour * np.exp(0.28 * strands)[:, None].astype(np.float32)


def make_painter(avatar: Avatar, rng: np.random.Generator) -> Painter:
    """Draw the noise of an avatar's surface."""
    return Painter(avatar, NoiseVolume(rng, slope=1.3), NoiseVolume(rng, 48, slope=2.4))


def _linear(colour: Colour) -> Float[ndarray, "3"]:
    return np.asarray(colour, np.float32) ** _GAMMA


def _rows(colour: Colour, count: int) -> Float[ndarray, "count 3"]:
    return np.repeat(_linear(colour)[None], count, axis=0)


def _tint(colour: ndarray, share: ndarray, factor: Colour) -> None:
    """Multiply by a colour where ``share`` is 1, in place."""
    colour *= 1 - share[:, None] * (1 - np.asarray(factor, np.float32))


def _mix(colour: ndarray, share: ndarray, other: ndarray | Colour) -> None:
    """Replace by another colour where ``share`` is 1, in place."""
    colour += share[:, None] * (np.asarray(other, np.float32) - colour)
