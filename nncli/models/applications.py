"""The networks that Keras brings, and what a config can be held against without Keras.

Source: `keras.applications` of Keras 3.15 without the answer's layers; held against it by
`tests/models/test_applications.py`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Application:
    """A network of `keras.applications`, without the layers of its answer."""

    name: str
    layers: int
    """The input included; the fewest, where it depends on `alpha` or on the weights."""
    features: int
    """Channels of its last feature maps, at `alpha` 1."""
    parameters: int
    """At `alpha` 1."""
    smallest: int = 32
    """The side of the smallest picture it takes, in pixels."""
    widths: tuple[float, ...] = ()
    """The values of `alpha` that there are ImageNet weights for; empty where it has no `alpha`."""

    def places(self, side: int) -> int:
        """At least how many places its last feature maps have along a side of a picture.

        One for the smallest picture, and one more for every 32 pixels.
        """
        return 1 + max(0, side - self.smallest) // 32


_ROWS = (
    Application("ConvNeXtBase", 259, 1024, 87_566_464),
    Application("ConvNeXtLarge", 259, 1536, 196_230_336),
    Application("ConvNeXtSmall", 259, 768, 49_454_688),
    Application("ConvNeXtTiny", 133, 768, 27_820_128),
    Application("ConvNeXtXLarge", 259, 2048, 348_147_968),
    Application("DenseNet121", 427, 1024, 7_037_504),
    Application("DenseNet169", 595, 1664, 12_642_880),
    Application("DenseNet201", 707, 1920, 18_321_984),
    Application("EfficientNetB0", 237, 1280, 4_049_571),
    Application("EfficientNetB1", 339, 1280, 6_575_239),
    Application("EfficientNetB2", 339, 1408, 7_768_569),
    Application("EfficientNetB3", 384, 1536, 10_783_535),
    Application("EfficientNetB4", 474, 1792, 17_673_823),
    Application("EfficientNetB5", 576, 2048, 28_513_527),
    Application("EfficientNetB6", 666, 2304, 40_960_143),
    Application("EfficientNetB7", 813, 2560, 64_097_687),
    Application("EfficientNetV2B0", 270, 1280, 5_919_312),
    Application("EfficientNetV2B1", 334, 1280, 6_931_124),
    Application("EfficientNetV2B2", 349, 1408, 8_769_374),
    Application("EfficientNetV2B3", 409, 1536, 12_930_622),
    Application("EfficientNetV2L", 1028, 1280, 117_746_848),
    Application("EfficientNetV2M", 740, 1280, 53_150_388),
    Application("EfficientNetV2S", 513, 1280, 20_331_360),
    Application("InceptionResNetV2", 780, 1536, 54_336_736, smallest=75),
    Application("InceptionV3", 311, 2048, 21_802_784, smallest=75),
    Application("MobileNet", 86, 1024, 3_228_864, widths=(0.25, 0.5, 0.75, 1.0)),
    Application("MobileNetV2", 154, 1280, 2_257_984, widths=(0.35, 0.5, 0.75, 1.0, 1.3, 1.4)),
    Application("MobileNetV3Large", 186, 960, 2_996_352, widths=(0.75, 1.0)),
    Application("MobileNetV3Small", 157, 576, 939_120, widths=(0.75, 1.0)),
    Application("NASNetLarge", 1039, 4032, 84_916_818),
    Application("NASNetMobile", 769, 1056, 4_269_716),
    Application("ResNet101", 345, 2048, 42_658_176),
    Application("ResNet101V2", 377, 2048, 42_626_560),
    Application("ResNet152", 515, 2048, 58_370_944),
    Application("ResNet152V2", 564, 2048, 58_331_648),
    Application("ResNet50", 175, 2048, 23_587_712),
    Application("ResNet50V2", 190, 2048, 23_564_800),
    Application("VGG16", 19, 512, 14_714_688),
    Application("VGG19", 22, 512, 20_024_384),
    Application("Xception", 132, 2048, 20_861_480, smallest=71),
)
APPLICATIONS = {row.name: row for row in _ROWS}
"""By name, known here so that a typo is refused without Keras."""
