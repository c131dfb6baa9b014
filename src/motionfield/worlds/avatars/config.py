"""What can be chosen about rendered takes."""

from dataclasses import dataclass

from motionfield.core.errors import OptionError


@dataclass(frozen=True)
class AvatarConfig:
    """Effort, and how good the made camera is. Ranges are drawn from, uniformly, by the seed."""

    rays_per_pixel: int = 3
    """Rays into the person per pixel; fast movement is spread over as many moments."""
    backdrop_supersampling: int = 2
    """Rays per pixel and direction into the place, where the camera stands still."""
    exposure_s: tuple[float, float] = (0.001, 0.008)
    """How long the shutter is open; the longer, the more motion blur."""
    exposure_stops: float = 0.35
    """Most over- or underexposure, in stops."""
    lens_blur_px: tuple[float, float] = (0.35, 0.9)
    """Deviation of the lens's blur at 1280 pixels along the longer side."""
    noise: tuple[float, float] = (0.004, 0.016)
    """Deviation of the sensor's noise at mid grey, of the full range."""
    jpeg_quality: tuple[int, int] = (70, 95)
    """Compression of each frame; (0, 0): none."""
    shadow_rays: bool = True
    """Whether the body shades itself."""
    reach_m: float = 9.0
    """Radius round the motion's middle in which nothing stands (more where a camera or the person
    is farther away). Takes of one place from several cameras must all be given the same."""

    def __post_init__(self) -> None:
        if self.rays_per_pixel < 1 or self.backdrop_supersampling < 1:
            raise OptionError("rays_per_pixel and backdrop_supersampling must be at least 1")
