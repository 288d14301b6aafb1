"""What the scripts of the plug-in's tests do inside GIMP."""

from gi.repository import Babl, Gegl, Gimp, Gio

Gegl.init(None)
quiet = Gimp.RunMode.NONINTERACTIVE
ok = Gimp.PDBStatusType.SUCCESS


def area(item, x=0, y=0):
    return Gegl.Rectangle.new(x, y, item.get_width(), item.get_height())


def keep(path, content):
    with open(path, "wb") as file:
        file.write(content)


def held(path):
    with open(path, "rb") as file:
        return file.read()


def load(path):
    return Gimp.file_load(quiet, Gio.File.new_for_path(path))


def save(image, path):
    if not Gimp.file_save(quiet, image, Gio.File.new_for_path(path)):
        raise RuntimeError(path)


def image_of(width, height, precision="u8-non-linear", grey=False):
    named = getattr(Gimp.Precision, precision.upper().replace("-", "_"))
    base = Gimp.ImageBaseType.GRAY if grey else Gimp.ImageBaseType.RGB
    return Gimp.Image.new_with_precision(width, height, base, named)


def layer_of(image, name, pixels, width, height, x=0, y=0, parent=None, alpha=True):
    """A layer of display-encoded RGBA floats, on top of its parent."""
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kinds = Gimp.ImageType
    kind = (kinds.GRAYA_IMAGE if alpha else kinds.GRAY_IMAGE) if grey else kinds.RGBA_IMAGE if alpha else kinds.RGB_IMAGE
    layer = Gimp.Layer.new(image, name, width, height, kind, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(x, y)
    put(layer, "R'G'B'A float", pixels)
    return layer


def put(drawable, encoding, pixels):
    buffer = drawable.get_buffer()
    buffer.set(area(drawable), encoding, pixels)
    buffer.flush()
    drawable.update(0, 0, drawable.get_width(), drawable.get_height())


def put_mask(drawable, values):
    """Fill a mask, a channel or the selection with floats, whatever its type."""
    put(drawable, Babl.format_get_encoding(drawable.get_format()).split()[0] + " float", values)


def numbers(drawable):
    """A drawable's own numbers."""
    return drawable.get_buffer().get(area(drawable), 1.0, None, Gegl.AbyssPolicy.NONE)


def shown(image):
    """The projection: display-encoded RGBA floats; in the picture's own profile where its numbers are display-encoded."""
    visible = Gimp.Layer.new_from_visible(image, image, "visible")
    found = numbers(visible)
    encoding = Babl.format_get_encoding(visible.get_format())
    visible.delete()
    buffer = Gegl.Buffer.new(encoding, 0, 0, image.get_width(), image.get_height())
    buffer.set(area(image), encoding, found)
    return buffer.get(area(image), 1.0, "R'G'B'A float", Gegl.AbyssPolicy.NONE)


def pixels_of(image):
    """Every layer's and mask's numbers, and what belongs to them."""
    found = {}

    def look(layers):
        for layer in layers:
            mask = layer.get_mask()
            found[layer.get_id()] = (
                layer.get_name(),
                bytes(numbers(layer)),
                layer.get_offsets()[1:],
                layer.get_opacity(),
                layer.get_visible(),
                None if mask is None else bytes(numbers(mask)),
                layer.get_mode(),
            )
            if layer.is_group():
                look(layer.get_children())

    look(image.get_layers())
    return found


def harmonize(image, *layers, **settings):
    """Call the plug-in; returns what it complains of, or an empty text."""
    procedure = Gimp.get_pdb().lookup_procedure("plug-in-harmonize")
    config = procedure.create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", list(layers))
    for name, value in settings.items():
        config.set_property(name.replace("_", "-"), value)
    values = procedure.run(config)
    return "" if values.index(0) == ok else Gimp.get_pdb().get_last_error()


def described(item):
    children = item.get_children() if item.is_group() else []
    return {
        "name": item.get_name(),
        "mode": item.get_mode().value_nick,
        "opacity": round(item.get_opacity(), 2),
        "visible": item.get_visible(),
        "masked": item.get_mask() is not None,
        "effects": [effect.get_name() for effect in item.get_filters()],
        "children": [described(child) for child in children],
    }
