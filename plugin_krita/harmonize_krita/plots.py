# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of a result: the tone curves as they act now, the light map, the harmony before and after."""

from . import spline, tones
from .qt import (
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QPointF,
    QRectF,
    QSize,
    QSizePolicy,
    Qt,
    QTextOption,
    QWidget,
    i18n,
)

channel_colours = {1: QColor(226, 78, 78), 2: QColor(70, 176, 88), 3: QColor(78, 134, 240)}
samples = 64
round_corner = 3


class Plot(QWidget):
    """A framed picture in the colours of the theme; `content` is None as long as there is nothing to show."""

    def __init__(self, height, label, parent=None):
        super().__init__(parent)
        self.content = None
        self.setMinimumHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(label)
        self.setToolTip(label)
        self.label = label

    def sizeHint(self):
        """As small as it may be."""
        return QSize(100, self.minimumHeight())

    def set(self, content):
        """Show something else."""
        if content != self.content:
            self.content = content
            self.update()

    def paintEvent(self, _):
        """A frame, and what is to be shown in it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(mixed(self.palette(), 0.25), 1))
        painter.setBrush(self.palette().color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(area, round_corner, round_corner)
        if self.content is None:
            painter.setPen(mixed(self.palette(), 0.45))
            painter.drawText(area, self.label, QTextOption(Qt.AlignmentFlag.AlignCenter))
        else:
            self.draw(painter, area.adjusted(4, 4, -4, -4))
        painter.end()


class CurvesPlot(Plot):
    """The tone curves: content is a list of curves' settings, channel -> Krita's text."""

    def __init__(self, parent=None):
        super().__init__(96, i18n("Tone curves"), parent)

    def draw(self, painter, area):
        """A grid, the diagonal that changes nothing, and the curves."""
        painter.setPen(QPen(mixed(self.palette(), 0.15), 1))
        for quarter in (0.25, 0.5, 0.75):
            painter.drawLine(at(area, quarter, 0), at(area, quarter, 1))
            painter.drawLine(at(area, 0, quarter), at(area, 1, quarter))
        painter.setPen(QPen(mixed(self.palette(), 0.35), 1, Qt.PenStyle.DashLine))
        painter.drawLine(at(area, 0, 0), at(area, 1, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        is_dark = self.palette().color(QPalette.ColorRole.Base).lightness() < 128
        modes = QPainter.CompositionMode
        painter.setCompositionMode(modes.CompositionMode_Plus if is_dark else modes.CompositionMode_Multiply)
        for channel, colour in channel_colours.items():
            painter.setPen(QPen(colour, 1.6))
            painter.drawPath(path_of(area, [settings[channel] for settings in self.content]))


def path_of(area, texts):
    """One channel's curves, applied one after the other."""
    xs = [k / samples for k in range(samples + 1)]
    ys = xs
    for text in texts:
        knots = tones.knots(text)
        ys = [spline.drawn(*knots, [y])[0] for y in ys]
    path = QPainterPath(at(area, xs[0], ys[0]))
    for x, y in zip(xs[1:], ys[1:], strict=True):
        path.lineTo(at(area, x, y))
    return path


def at(area, x, y):
    """A point of a plot whose axes run from 0 to 1."""
    return QPointF(area.left() + x * area.width(), area.bottom() - y * area.height())


class LightPlot(Plot):
    """The light map over the picture: middle grey is unchanged. content: (rows of gains, width / height)."""

    def __init__(self, parent=None):
        super().__init__(96, i18n("Light"), parent)
        self.image = None

    def set(self, content):
        """Show another map."""
        if content != self.content:
            self.image = picture_of(content[0]) if content else None
        super().set(content)

    def draw(self, painter, area):
        """The map in the shape of the picture."""
        shape = self.content[1]
        width = min(area.width(), area.height() * shape)
        height = width / shape
        frame = QRectF(area.center().x() - width / 2, area.center().y() - height / 2, width, height)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, self.image)


def picture_of(rows):
    """Gains as grey: 1 in the middle, twice or half as bright at white and black."""
    width, height = len(rows[0]), len(rows)
    shown = bytes(round(255 * min(max(gain / (1 + gain), 0.25) - 0.25, 0.5) / 0.5) for row in rows for gain in row)
    fine = (12 * width, 12 * height)
    image = QImage(shown, width, height, width, QImage.Format.Format_Grayscale8)
    return image.scaled(*fine, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)


class ScorePlot(Plot):
    """The harmony as the engine estimates it: content is (before, after), 0..1."""

    def __init__(self, parent=None):
        super().__init__(26, i18n("Harmony"), parent)

    def set(self, content):
        """Show other numbers, and say them to screen readers."""
        super().set(content)
        self.setAccessibleDescription(self.text() if content else "")

    def text(self):
        """Both numbers."""
        before, after = self.content
        return f"{self.label}  {round(100 * before)} → {round(100 * after)} %"

    def draw(self, painter, area):
        """Both numbers, and a bar up to the one after with a tick at the one before."""
        before, after = self.content
        painter.setPen(Qt.PenStyle.NoPen)
        highlight = self.palette().color(QPalette.ColorRole.Highlight)
        bar = QRectF(area.left(), area.bottom() - 4, area.width(), 4)
        painter.setBrush(mixed(self.palette(), 0.15))
        painter.drawRoundedRect(bar, 2, 2)
        painter.setBrush(highlight)
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), max(4, after * bar.width()), 4), 2, 2)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Text))
        painter.drawRect(QRectF(bar.left() + before * bar.width() - 1, bar.top() - 2, 2, 8))
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        top = QRectF(area.left(), area.top() - 2, area.width(), area.height() - 4)
        painter.drawText(top, self.text(), QTextOption(Qt.AlignmentFlag.AlignVCenter))


def mixed(palette, share):
    """A colour between the background and the text of the theme."""
    base, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
    channels = zip(base.getRgb()[:3], text.getRgb()[:3], strict=True)
    return QColor(*(round(one + share * (other - one)) for one, other in channels))
