#!/usr/bin/env python3
"""Writes miniature copies of the data sets that Inputs reads, for its tests.

    make_dataset_fixtures.py --output Tests/InputsTests/Fixtures/datasets

Each has the structure, the names and the file formats of the real set, with a few pictures of 8 to 20
pixels, and is written by the tools that write such files: tarfile, zipfile, pickle, scipy for MAT-files of
level 5, h5py for level 7.3, pycocotools for run lengths, webdataset for shards. expected.json holds for each set what the usual
Python readers make of it: class names, records, CRC-32 of the pictures, masks (0 background, l + 1 for
class l, 65535 ignored). coco-regions.json holds outlines with the pixels that pycocotools fills.
"""

import argparse
import gzip
import importlib.metadata
import io
import json
import pathlib
import pickle
import platform
import struct
import tarfile
import zipfile
import zlib

import h5py
import numpy
import scipy.io
import webdataset
from PIL import Image
from pycocotools import mask as coco_mask

IGNORED = 65535
WNIDS = ["n01440764", "n01443537", "n02084071"]
WORDS = ["tench, Tinca tinca", "goldfish, Carassius auratus", "dog, domestic dog, Canis familiaris"]
VOC_CLASSES = ["aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
               "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"]
rng = numpy.random.default_rng(0)


# MARK: Pieces

def noise(width: int, height: int) -> numpy.ndarray:
    return rng.integers(0, 256, (height, width, 3), dtype=numpy.uint8)


def picture(width: int, height: int, kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(noise(width, height)).save(buffer, kind, **({"quality": 30} if kind == "JPEG" else {}))
    return buffer.getvalue()


def png(array: numpy.ndarray, mode: str | None = None, palette: bool = False, **options) -> bytes:
    image = Image.fromarray(array) if mode is None else Image.fromarray(array, mode)
    if palette:
        image = Image.fromarray(array, "P")
        image.putpalette(voc_palette())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def voc_palette() -> list[int]:
    """The development kit's colours: bits of the number dealt to the channels from the top."""
    palette = []
    for number in range(256):
        channels = [0, 0, 0]
        for bit in range(8):
            channels[bit % 3] |= (number >> bit & 1) << 7 - bit // 3
        palette += channels
    return palette


def mat5(variables: dict, compressed: bool) -> bytes:
    """A MAT-file of level 5 with a header that names no date."""
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, variables, do_compression=compressed)
    return b"MATLAB 5.0 MAT-file Platform: posix, Created on: Mon Nov 11 00:00:00 2013".ljust(116) + buffer.getvalue()[116:]


def tar(files: dict[str, bytes], mode: str = "w") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tar_gz(files: dict[str, bytes]) -> bytes:
    return gzip.compress(tar(files), mtime=0)


def zipped(files: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2017, 9, 1, 0, 0, 0)), data, method)
    return buffer.getvalue()


def digest(data: bytes) -> int:
    return zlib.crc32(data)


def rgb_digest(array: numpy.ndarray) -> int:
    return digest(numpy.ascontiguousarray(array, dtype=numpy.uint8).tobytes())


def record(name: str, labels: list[int], data: int, mask: numpy.ndarray | None = None, uncertain: list[int] = []) -> dict:
    result = {"id": name, "labels": labels, "uncertain": uncertain, "crc32": data}
    if mask is not None:
        result["mask"] = {"width": mask.shape[1], "height": mask.shape[0], "labels": mask.astype(int).ravel().tolist()}
    return result


# MARK: ImageNet

def imagenet(out: pathlib.Path, expected: dict) -> None:
    inner, train = {}, []
    for label, wnid in enumerate(WNIDS):
        names = [f"{wnid}_{number}.JPEG" for number in (10026, 18, 2)]
        files = {name: picture(11, 9) for name in names}
        inner[f"{wnid}.tar"] = tar(files)
        # ImageFolder sorts names by code point, so 10026 comes before 18.
        train += [record(f"{wnid}/{name}", [label], digest(files[name])) for name in sorted(names)]
    # The tar's own order is none.
    (out / "ILSVRC2012_img_train.tar").write_bytes(tar({name: inner[name] for name in sorted(inner, reverse=True)}))

    ids = [3, 1, 2]  # ILSVRC2012_ID of each WordNet number, in another order than theirs
    truth = [1, 3, 2, 2, 1]
    synsets = [(number, wnid, words, "a gloss", 0, [], 0, 1300) for number, wnid, words in zip(ids, WNIDS, WORDS)]
    synsets.sort()
    synsets.append((4, "n00001740", "entity", "that which is perceived", 2, [1, 2], 5, 0))
    fields = ["ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images"]
    array = numpy.empty((len(synsets), 1), dtype=[(field, object) for field in fields])
    for index, synset in enumerate(synsets):
        for field, value in zip(fields, synset):
            array[index, 0][field] = value if isinstance(value, str) else numpy.array(value, dtype=float)
    meta = mat5({"synsets": array}, True)
    root = "ILSVRC2012_devkit_t12"
    (out / f"{root}.tar.gz").write_bytes(tar_gz({
        f"{root}/readme.txt": b"miniature\n",
        f"{root}/data/meta.mat": meta,
        f"{root}/data/ILSVRC2012_validation_ground_truth.txt": "".join(f"{number}\n" for number in truth).encode()}))
    read = scipy.io.loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]
    leaves = {int(synset["ILSVRC2012_ID"]): (str(synset["WNID"]), str(synset["words"])) for synset in read if synset["num_children"] == 0}
    wnids = sorted(wnid for wnid, _ in leaves.values())
    names = [next(words for wnid, words in leaves.values() if wnid == wanted).split(", ")[0] for wanted in wnids]
    validation = {f"ILSVRC2012_val_{number + 1:08}.JPEG": picture(10, 12) for number in range(len(truth))}
    (out / "ILSVRC2012_img_val.tar").write_bytes(tar({name: validation[name] for name in reversed(validation)}))
    expected["imagenet-train"] = {"classNames": WNIDS, "records": train}
    expected["imagenet-val"] = {"classNames": names, "records": [
        record(name, [wnids.index(leaves[number][0])], digest(data)) for (name, data), number in zip(validation.items(), truth)]}

    renditions = {"imagenet-r/README.txt": b"miniature\n"}
    renditions |= {f"imagenet-r/{wnid}/{kind}_{n}.jpg": picture(9, 8) for wnid in WNIDS[1:] for n in (1, 0) for kind in ("sketch", "art")}
    (out / "imagenet-r.tar").write_bytes(tar(renditions))
    expected["imagenet-r"] = {"classNames": names, "records": [
        record(name.removeprefix("imagenet-r/"), [WNIDS.index(name.split("/")[1])], digest(data))
        for name, data in sorted(renditions.items()) if name.endswith(".jpg")]}

    files, records = {}, []
    for label, wnid in enumerate(WNIDS):
        name, width, height = f"ILSVRC2012_val_0000000{label + 1}", 9 + label, 8
        numbers = rng.choice([0, 1, 2, 3, 1000], (height, width)).astype(int)
        colours = numpy.stack([numbers % 256, numbers // 256, 0 * numbers], axis=2).astype(numpy.uint8)
        files[f"ImageNetS919/validation/{wnid}/{name}.JPEG"] = picture(width, height)
        files[f"ImageNetS919/validation-segmentation/{wnid}/{name}.png"] = png(colours)
        opened = numpy.array(Image.open(io.BytesIO(png(colours)))).astype(int)
        mask = opened[:, :, 1] * 256 + opened[:, :, 0]
        records.append(record(f"{wnid}/{name}.png", [label], digest(files[f"ImageNetS919/validation/{wnid}/{name}.JPEG"]),
                              numpy.where(mask == 1000, IGNORED, mask)))
    (out / "ImageNetS919.tar").write_bytes(tar(files))
    (out / "ImageNetS_categories_im3.txt").write_text("\n".join(reversed(WNIDS)) + "\n")
    expected["imagenet-s"] = {"classNames": WNIDS, "records": records}
    (out / "imagenet-wnids.txt").write_text("\n".join(WNIDS) + "\n")
    (out / "imagenet-names.txt").write_text("\n".join(names) + "\n")


def segmentation_mat(out: pathlib.Path, expected: dict) -> None:
    path = out / "gtsegs_ijcv.mat"
    # MATLAB reserves 512 bytes for its own header and writes the oldest file format.
    with h5py.File(path, "w", userblock_size=512, libver="earliest", track_order=False) as file:
        value = file.create_group("value")
        value.attrs["MATLAB_class"] = numpy.bytes_("struct")
        refs = file.create_group("#refs#")
        count, number = 4, 0

        def store(array: numpy.ndarray, matlab_class: str, **options) -> h5py.Reference:
            nonlocal number
            number += 1
            # MATLAB's first index is the fastest: its arrays lie transposed.
            dataset = refs.create_dataset(f"r{number}", data=array.T, **options)
            dataset.attrs["MATLAB_class"] = numpy.bytes_(matlab_class)
            return dataset.ref

        def cell(name: str | None, references: list) -> h5py.Reference:
            nonlocal number
            number += 1
            group, key = (value, name) if name else (refs, f"r{number}")
            dataset = group.create_dataset(key, (len(references), 1), dtype=h5py.ref_dtype)
            dataset[:, 0] = references
            dataset.attrs["MATLAB_class"] = numpy.bytes_("cell")
            return dataset.ref

        images, masks, names = [], [], []
        for index in range(count):
            height, width = 8 + index, 13 - index
            options = [{}, {"compression": "gzip", "compression_opts": 3, "chunks": (1, 5, 4)},
                       {"compression": "gzip", "shuffle": True, "chunks": True}, {"chunks": (3, 4, 8), "fletcher32": True}][index]
            images.append(store(noise(width, height), "uint8", **options))
            truth = (rng.random((height, width)) < 0.4).astype([numpy.uint8, numpy.float64, numpy.uint8, numpy.uint16][index])
            masks.append(cell(None, [store(truth, str(truth.dtype), **({"chunks": (4, 3), "compression": "gzip"} if index else {}))]))
            name = f"{WNIDS[index % 3]}_{100 + index}"
            names.append(store(numpy.array([[ord(character) for character in name]], dtype=numpy.uint16), "char"))
        cell("img", images), cell("gt", masks), cell("id", names)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Nov 11 00:00:00 2013 HDF5 schema 1.00 ."
    data = path.read_bytes()
    path.write_bytes(header.ljust(116) + bytes(8) + b"\x00\x02IM" + bytes(512 - 128) + data[512:])
    records = []
    with h5py.File(path, "r") as file:
        for index in range(len(file["/value/img"])):
            image = numpy.array(file[file["/value/img"][index, 0]]).transpose((2, 1, 0))
            target = numpy.array(file[file[file["/value/gt"][index, 0]][0, 0]]).transpose((1, 0))
            name = "".join(chr(unit) for unit in numpy.array(file[file["/value/id"][index, 0]]).ravel())
            records.append(record(f"{index + 1}/{name}", [0], rgb_digest(image), target))
    expected["imagenet-segmentation"] = {"classNames": ["foreground"], "records": records}


# MARK: CIFAR

class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings: the published files are pickles of Python 2."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value: bytes) -> None:
        self.write(b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_string


def python2_pickle(value: object) -> bytes:
    buffer = io.BytesIO()
    Python2Pickler(buffer, protocol=2).dump(value)
    return buffer.getvalue().replace(b"cnumpy._core.", b"cnumpy.core.")


def cifar(out: pathlib.Path, expected: dict) -> None:
    planes = lambda row: rgb_digest(row.reshape(3, 32, 32).transpose(1, 2, 0))
    # Few colours, so that the archives stay small.
    pixels = lambda count: numpy.repeat(rng.integers(0, 256, (count, 96), dtype=numpy.uint8), 32, axis=1)
    for kind in (10, 100):
        fine = [f"class {number}" for number in range(kind)]
        label_key = "labels" if kind == 10 else "fine_labels"
        python_root, binary_root = (("cifar-10-batches-py", "cifar-10-batches-bin") if kind == 10
                                    else ("cifar-100-python", "cifar-100-binary"))
        parts = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]} if kind == 10 else \
                {"train": ["train"], "test": ["test"]}
        python_files, binary_files = {}, {}
        for split, names in parts.items():
            records = []
            for name in names:
                data, labels = pixels(2), rng.integers(0, kind, 2).tolist()
                coarse = [label % 20 for label in labels]
                batch = {b"batch_label": name.encode(), label_key.encode(): labels, b"data": data,
                         b"filenames": [f"{name}_{n}.png".encode() for n in range(2)]}
                if kind == 100:
                    batch[b"coarse_labels"] = coarse
                python_files[f"{python_root}/{name}"] = python2_pickle(batch)
                rows = [bytes([c, l] if kind == 100 else [l]) + row.tobytes() for c, l, row in zip(coarse, labels, data)]
                binary_files[f"{binary_root}/{name}.bin"] = b"".join(rows)
                for label, row in zip(labels, data):
                    records.append(record(f"{split}/{len(records)}", [label], planes(row)))
            expected[f"cifar-{kind}-{split}"] = {"classNames": fine, "records": records}
        if kind == 10:
            python_files[f"{python_root}/batches.meta"] = python2_pickle(
                {b"num_cases_per_batch": 2, b"label_names": [name.encode() for name in fine], b"num_vis": 3072})
            binary_files[f"{binary_root}/batches.meta.txt"] = ("\n".join(fine) + "\n\n").encode()
        else:
            python_files[f"{python_root}/meta"] = python2_pickle(
                {b"fine_label_names": [name.encode() for name in fine], b"coarse_label_names": [b"coarse"] * 20})
            binary_files[f"{binary_root}/fine_label_names.txt"] = ("\n".join(fine) + "\n").encode()
            binary_files[f"{binary_root}/coarse_label_names.txt"] = b"coarse\n" * 20
        (out / f"cifar-{kind}-python.tar.gz").write_bytes(tar_gz(python_files))
        (out / f"cifar-{kind}-binary.tar.gz").write_bytes(tar_gz(binary_files))


# MARK: Pascal

def annotation(name: str, width: int, height: int, objects: list[tuple[str, bool]]) -> bytes:
    box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"
    parts = "".join(
        f"\t<object>\n\t\t<name>{kind}</name>\n\t\t<pose>Left</pose>\n\t\t<difficult>{int(difficult)}</difficult>\n\t\t{box}\n"
        + ("\t\t<part><name>head</name>" + box + "</part>\n" if kind == "person" else "") + "\t</object>\n"
        for kind, difficult in objects)
    return (f"<annotation>\n\t<folder>VOC2012</folder>\n\t<filename>{name}.jpg</filename>\n\t<source><database>The VOC2007 &amp; more"
            f"</database></source>\n\t<size>\n\t\t<width>{width}</width>\n\t\t<height>{height}</height>\n\t\t<depth>3</depth>\n"
            f"\t</size>\n\t<segmented>1</segmented>\n{parts}</annotation>\n").encode()


def pascal(out: pathlib.Path, expected: dict) -> None:
    names = ["2007_000032", "2007_000039", "2008_000002"]
    objects = [[("aeroplane", False), ("person", False), ("person", True)], [("tvmonitor", False), ("bottle", True)], [("dog", False)]]
    for year, archive in ((2012, "VOCtrainval_11-May-2012.tar"), (2010, "VOCtrainval_03-May-2010.tar")):
        files, segmentation, classification = {}, [], []
        root = f"VOCdevkit/VOC{year}"
        for index, name in enumerate(names):
            width, height = 12 + index, 9
            numbers = rng.choice([0, 1, 5, 15, 20, 255], (height, width)).astype(numpy.uint8)
            files[f"{root}/JPEGImages/{name}.jpg"] = picture(width, height)
            files[f"{root}/Annotations/{name}.xml"] = annotation(name, width, height, objects[index])
            if index < 2:
                files[f"{root}/SegmentationClass/{name}.png"] = png(numbers, palette=True)
            sure = sorted({VOC_CLASSES.index(kind) for kind, difficult in objects[index] if not difficult})
            unsure = sorted({VOC_CLASSES.index(kind) for kind, difficult in objects[index] if difficult} - set(sure))
            shown = digest(files[f"{root}/JPEGImages/{name}.jpg"])
            classification.append(record(f"JPEGImages/{name}.jpg", sure, shown, uncertain=unsure))
            if index < 2:
                opened = numpy.array(Image.open(io.BytesIO(files[f"{root}/SegmentationClass/{name}.png"]))).astype(int)
                segmentation.append(record(f"JPEGImages/{name}.jpg", sure, shown, numpy.where(opened == 255, IGNORED, opened), unsure))
        files[f"{root}/ImageSets/Segmentation/val.txt"] = "".join(f"{name}\n" for name in names[:2]).encode()
        files[f"{root}/ImageSets/Main/val.txt"] = "".join(f"{name}\n" for name in names).encode()
        files[f"{root}/ImageSets/Main/dog_val.txt"] = "".join(f"{name} {sign:2}\n" for name, sign in zip(names, (-1, -1, 1))).encode()
        (out / archive).write_bytes(tar(files))
        if year == 2012:
            expected["voc-segmentation"] = {"classNames": VOC_CLASSES, "records": segmentation}
            expected["voc-classification"] = {"classNames": VOC_CLASSES, "records": classification}
            continue
        # The three classes whose names differ are among these.
        every = ["accordion", "aeroplane", "table", "wall", "bedclothes", "cloth", "bag"]
        used = ["aeroplane", "bag", "diningtable", "bedcloth", "clothes"]
        (out / "labels.txt").write_text("".join(f"{number}: {label}\n" for number, label in enumerate(every, 1)))
        (out / "59_labels.txt").write_text("".join(f"{number}: {label}\n" for number, label in enumerate(used, 1)))
        renamed = {"diningtable": "table", "bedcloth": "bedclothes", "clothes": "cloth"}
        maps, records = {"trainval/readme.txt": b"miniature\n"}, []
        for index, name in enumerate(names):
            label_map = rng.integers(0, len(every) + 1, (9, 12 + index)).astype(numpy.uint16)
            maps[f"trainval/{name}.mat"] = mat5({"LabelMap": label_map, "other": numpy.eye(2)}, index != 1)
            read = scipy.io.loadmat(io.BytesIO(maps[f"trainval/{name}.mat"]))["LabelMap"]
            mask = numpy.zeros(read.shape, dtype=int)
            for label, kind in enumerate(used, 1):
                mask[read == every.index(renamed.get(kind, kind)) + 1] = label
            records.append(record(f"JPEGImages/{name}.jpg", [], digest(files[f"{root}/JPEGImages/{name}.jpg"]), mask))
        (out / "trainval.tar.gz").write_bytes(tar_gz(maps))
        expected["pascal-context"] = {"classNames": used, "records": records}


# MARK: COCO

def polygon(width: float, height: float, corners: int, outside: float) -> list[float]:
    points = rng.uniform((-outside * width, -outside * height), ((1 + outside) * width, (1 + outside) * height), (corners, 2))
    return numpy.round(points, int(rng.integers(0, 3))).ravel().tolist()


def union(polygons: list[list[float]], width: int, height: int) -> dict:
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def run_lengths(mask: numpy.ndarray) -> list[int]:
    flat = mask.ravel(order="F")
    changes = numpy.flatnonzero(numpy.diff(flat)) + 1
    counts = numpy.diff([0, *changes, flat.size]).tolist()
    return ([0] if flat[0] else []) + counts


def coco(out: pathlib.Path, expected: dict) -> None:
    categories = [{"supercategory": "animal", "id": 18, "name": "dog"}, {"supercategory": "person", "id": 1, "name": "person"},
                  {"supercategory": "indoor", "id": 90, "name": "toothbrush"}]
    sizes = {139: (15, 10), 285: (9, 14), 632: (8, 8), 81: (12, 12)}
    files = {f"val2017/{number:012}.jpg": picture(*size) for number, size in sizes.items()}
    images = [{"license": 4, "file_name": f"{number:012}.jpg", "coco_url": "http:\\/\\/x" if number == 139 else "", "height": size[1],
               "width": size[0], "id": number} for number, size in sizes.items()]
    annotations = []

    def add(image: int, category: int, segmentation, crowd: int = 0) -> None:
        annotations.append({"segmentation": segmentation, "area": 3.5, "iscrowd": crowd, "image_id": image,
                            "bbox": [0.0, 1.5, 3, 4], "category_id": category, "id": 1000 + len(annotations)})

    add(285, 18, [polygon(9, 14, 5, 0.1)])
    add(139, 1, [polygon(15, 10, 6, 0), polygon(15, 10, 3, 0)])
    add(139, 90, [polygon(15, 10, 8, 0)])
    crowd = (rng.random((10, 15)) < 0.3).astype(numpy.uint8)
    add(139, 1, {"counts": run_lengths(crowd), "size": [10, 15]}, crowd=1)
    region = (rng.random((14, 9)) < 0.2).astype(numpy.uint8)
    packed = coco_mask.encode(numpy.asfortranarray(region))
    add(285, 90, {"counts": packed["counts"].decode(), "size": [14, 9]})
    add(81, 1, [polygon(12, 12, 4, 0.2)])
    text = json.dumps({"info": {"description": "miniature \\u2014 \\\"quoted\\\""}, "licenses": [], "images": images,
                       "annotations": annotations, "categories": categories}, separators=(", ", ": "))
    (out / "val2017.zip").write_bytes(zipped(files, zipfile.ZIP_STORED))
    (out / "annotations_trainval2017.zip").write_bytes(zipped(
        {"annotations/captions_val2017.json": b"{}", "annotations/instances_val2017.json": text.encode()}, zipfile.ZIP_DEFLATED))

    def decoded(entry: dict) -> numpy.ndarray:
        width, height = sizes[entry["image_id"]]
        segmentation = entry["segmentation"]
        if isinstance(segmentation, list):
            return coco_mask.decode(union(segmentation, width, height))
        if isinstance(segmentation["counts"], list):
            return coco_mask.decode(coco_mask.frPyObjects(segmentation, height, width))
        return coco_mask.decode(segmentation)

    ids = sorted(category["id"] for category in categories)
    label = {"contiguous": lambda category: ids.index(category), "original": lambda category: category - 1}
    names = {category["id"]: category["name"] for category in categories}
    for numbering, crowds, overlap in (("contiguous", "ignored", "lastWins"), ("original", "painted", "lastWins"),
                                       ("contiguous", "leftOut", "ignored")):
        records = []
        for number in sorted(sizes):
            width, height = sizes[number]
            own = [entry for entry in annotations if entry["image_id"] == number]
            mask = numpy.zeros((height, width), dtype=int)
            for entry in own:
                if entry["iscrowd"] and crowds != "painted":
                    continue
                value, pixels = label[numbering](entry["category_id"]) + 1, decoded(entry) == 1
                if overlap == "ignored":
                    mask = numpy.where(pixels, numpy.where((mask == 0) | (mask == value), value, IGNORED), mask)
                else:
                    mask[pixels] = value
            for entry in own:
                if entry["iscrowd"] and crowds == "ignored":
                    mask[(decoded(entry) == 1) & (mask == 0)] = IGNORED
            labels = sorted({label[numbering](entry["category_id"]) for entry in own})
            records.append(record(f"{number:012}.jpg", labels, digest(files[f"val2017/{number:012}.jpg"]), mask))
        class_names = [names[number] for number in ids] if numbering == "contiguous" else [names.get(n + 1, "") for n in range(max(ids))]
        expected[f"coco-{numbering}-{crowds}-{overlap}"] = {"classNames": class_names, "records": records}

    cases = []
    for index in range(400):
        width, height = (int(side) for side in rng.integers(1, 40, 2))
        polygons = [polygon(width, height, int(rng.integers(3, 12)), [0, 0.3, 3][index % 3]) for _ in range(1 + index % 5 // 4)]
        if index % 7 == 0:  # the same corner twice, as in polygons that are closed
            polygons[0] += polygons[0][-2:]
        if index % 11 == 0:  # corners on pixels and between them
            polygons[0] = [round(2 * value) / 2 for value in polygons[0]]
        packed = union(polygons, width, height)
        cases.append({"width": width, "height": height, "polygons": polygons, "counts": packed["counts"].decode(),
                      "runs": run_lengths(coco_mask.decode(packed))})
    for index in range(40):
        height, width = (int(side) for side in rng.integers(1, 60, 2))
        region = numpy.asfortranarray((rng.random((height, width)) < [0.5, 0.02, 0.98, 0][index % 4]).astype(numpy.uint8))
        cases.append({"width": width, "height": height, "polygons": [], "counts": coco_mask.encode(region)["counts"].decode(),
                      "runs": run_lengths(region)})
    write_json(out / "coco-regions.json", {"cases": cases})


# MARK: Folders and tables

def folders(out: pathlib.Path, expected: dict) -> None:
    files, records = {}, []
    masks = {"a/one": ("1", lambda h, w: rng.random((h, w)) < 0.5, {}), "a/two": (None, lambda h, w: rng.choice([0, 1, 2, 3, 255], (h, w)).astype(numpy.uint8), {}),
             "b": ("P", lambda h, w: rng.choice([0, 1, 2, 3], (h, w)).astype(numpy.uint8), {"bits": 2}),
             "c": ("P", lambda h, w: rng.choice([0, 1, 2, 3], (h, w)).astype(numpy.uint8), {"bits": 4}),
             "d": ("I;16", lambda h, w: rng.choice([0, 1, 2, 3], (h, w)).astype(numpy.uint16), {})}
    for index, (name, (mode, make, options)) in enumerate(masks.items()):
        width, height = 17 + index, 11
        numbers = make(height, width)
        mask = Image.fromarray(numbers) if mode != "P" else Image.fromarray(numbers, "P")
        if mode == "P":
            mask.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200])
        buffer = io.BytesIO()
        mask.save(buffer, "PNG", **options)
        ending = "png" if index == 3 else "jpg"
        files[f"pairs/images/{name}.{ending}"] = picture(width, height, "PNG" if index == 3 else "JPEG")
        files[f"pairs/masks/{name}.png"] = buffer.getvalue()
        opened = numpy.array(Image.open(io.BytesIO(buffer.getvalue()))).astype(int)
        records.append(record(f"{name}.{ending}", [], digest(files[f"pairs/images/{name}.{ending}"]), numpy.where(opened == 255, IGNORED, opened)))
    (out / "pairs.tar").write_bytes(tar(files))
    expected["pairs"] = {"classNames": ["red", "green", "blue"], "records": records}

    table = out / "table"
    (table / "sub, folder").mkdir(parents=True, exist_ok=True)
    pictures = {"one.jpg": picture(8, 8), 'sub, folder/two "2".png': picture(9, 8, "PNG"), "three.jpg": picture(8, 9)}
    for name, data in pictures.items():
        (table / name).write_bytes(data)
    mask = rng.choice([0, 1, 2, 255], (8, 8)).astype(numpy.uint8)
    (table / "one-mask.png").write_bytes(png(mask))
    (table / "table.csv").write_bytes(
        '\ufeffpath,label,mask\r\none.jpg,cat,one-mask.png\r\n"sub, folder/two ""2"".png","a ""big"", dog",\r\nthree.jpg,,\n'.encode())
    labels = [[1], [0], []]
    expected["table"] = {"classNames": ['a "big", dog', "cat"], "records": [
        record(name, label, digest(data), numpy.where(mask == 255, IGNORED, mask.astype(int)) if index == 0 else None)
        for index, ((name, data), label) in enumerate(zip(pictures.items(), labels))]}


def webdataset_shards(out: pathlib.Path, expected: dict) -> None:
    """As CLIP_benchmark lays a set out: one split with a class each, one with a flag for each class."""
    folder = out / "webdataset"
    (folder / "test").mkdir(parents=True, exist_ok=True)
    (folder / "val").mkdir(exist_ok=True)
    names = ["red", "green apple", "blue"]
    (folder / "classnames.txt").write_text("\n".join(names))
    (folder / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\nthe {c}.\n")
    for split, shards in {"test": [[2, 0, 1], [1]], "val": [[[0, 2], []]]}.items():
        (folder / split / "nshards.txt").write_text(str(len(shards)))
        records = []
        for shard, labels in enumerate(shards):
            path = folder / split / f"{shard}.tar"
            with webdataset.TarWriter(str(path), mtime=0) as writer:
                for index, label in enumerate(labels):
                    kind = ("jpg", "png")[index % 2]
                    data = picture(8 + index, 9, "JPEG" if kind == "jpg" else "PNG")
                    flags = numpy.isin(numpy.arange(len(names)), label).astype(numpy.int64)
                    writer.write({"__key__": f"s{index:07d}", kind: data} | ({"cls": label} if split == "test" else {"npy": flags}))
            for sample in webdataset.WebDataset(str(path), shardshuffle=False):
                kind = "jpg" if "jpg" in sample else "png"
                label = [int(sample["cls"])] if "cls" in sample else numpy.flatnonzero(numpy.load(io.BytesIO(sample["npy"]))).tolist()
                records.append(record(f"{shard}/{sample['__key__']}.{kind}", label, digest(sample[kind])))
        expected[f"webdataset-{split}"] = {"classNames": names, "records": records}


def write_json(path: pathlib.Path, content: dict) -> None:
    made_by = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "h5py", "pillow", "pycocotools", "webdataset")}
    made_by |= {"Python": platform.python_version(), "HDF5": h5py.version.hdf5_version}
    path.write_text(json.dumps({"madeBy": made_by} | content, separators=(",", ":")) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder for the fixtures")
    output = parser.parse_args().output
    output.mkdir(parents=True, exist_ok=True)
    expected: dict = {}
    for make in (imagenet, segmentation_mat, cifar, pascal, coco, folders, webdataset_shards):
        make(output, expected)
    write_json(output / "expected.json", {"sets": expected})


if __name__ == "__main__":
    main()
