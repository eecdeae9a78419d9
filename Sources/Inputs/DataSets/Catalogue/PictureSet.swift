/// The sets of pictures that a spec can name.
public enum PictureSet: String, CaseIterable, Codable, Sendable {
    case imageNetTrain = "imagenet-train"
    case imageNetValidation = "imagenet-val"
    case imageNetR = "imagenet-r"
    case imageNetSegmentation = "imagenet-segmentation"
    case imageNetS50 = "imagenet-s-50"
    case imageNetS300 = "imagenet-s-300"
    case imageNetS919 = "imagenet-s"
    case cifar10 = "cifar-10"
    case cifar100 = "cifar-100"
    case voc2012 = "voc-2012"
    case pascalContext = "pascal-context"
    case coco2017Train = "coco-2017-train"
    case coco2017Validation = "coco-2017-val"
    /// A folder or archive with a folder of pictures for each class.
    case classFolders = "class-folders"
    /// A CSV file of paths and labels.
    case imageTable = "image-table"
    /// A folder or archive with `images/`, `masks/` and `classes.txt`.
    case imageMaskPairs = "image-mask-pairs"

    /// The folder of its files in the folder of data; nil for the reader's own pictures, which lie anywhere.
    public var folder: String? {
        switch self {
        case .imageNetTrain, .imageNetValidation: "imagenet"
        case .imageNetS50, .imageNetS300, .imageNetS919: "imagenet-s"
        case .coco2017Train, .coco2017Validation: "coco-2017"
        case .classFolders, .imageTable, .imageMaskPairs: nil
        default: rawValue
        }
    }

    /// The parts of which a spec names one; empty where the set has no parts.
    public var splits: [String] {
        switch self {
        case .cifar10, .cifar100: ["train", "test"]
        case .voc2012, .pascalContext: ["train", "val", "trainval"]
        case .imageNetS50, .imageNetS300, .imageNetS919: ["validation", "train-semi"]
        default: []
        }
    }

    /// Whether each pixel of its pictures is labelled.
    public var hasMasks: Bool {
        switch self {
        case .imageNetSegmentation, .imageNetS50, .imageNetS300, .imageNetS919, .voc2012, .pascalContext,
            .coco2017Train,
            .coco2017Validation, .imageTable, .imageMaskPairs:
            true
        case .imageNetTrain, .imageNetValidation, .imageNetR, .cifar10, .cifar100, .classFolders: false
        }
    }

    /// Whether nothing but masks says what its pictures show.
    public var isLabelledByMasksOnly: Bool { self == .pascalContext || self == .imageMaskPairs }

    /// Whether its classes are those of ImageNet, which zero-shot classifiers call by curated names.
    public var hasImageNetClasses: Bool {
        switch self {
        case .imageNetTrain, .imageNetValidation, .imageNetR, .imageNetSegmentation, .imageNetS50, .imageNetS300,
            .imageNetS919:
            true
        default: false
        }
    }
}

extension PictureSet {
    /// One of the files or folders that a set is made of.
    struct Part: Equatable {
        /// Names in the set's folder, of which the first that is there is taken.
        var names: [String]
        var purpose: String
        var isOptional = false
        /// Also looked for in this folder beside the set's.
        var neighbour: String?

        init(_ names: [String], _ purpose: String, isOptional: Bool = false, neighbour: String? = nil) {
            (self.names, self.purpose, self.isOptional, self.neighbour) = (names, purpose, isOptional, neighbour)
        }
    }

    /// The place itself.
    private static let itself = "."

    /// What opening a split needs, in the order in which ``PictureSource`` opens it.
    func parts(split: String?) -> [Part] {
        let devkit = Part(
            ["ILSVRC2012_devkit_t12.tar.gz", "ILSVRC2012_devkit_t12"], "the labels of ImageNet's validation set",
            isOptional: true)
        switch self {
        case .imageNetTrain: return [Part(["ILSVRC2012_img_train.tar", "train"], "the training pictures of ImageNet")]
        case .imageNetValidation:
            return [Part(["ILSVRC2012_img_val.tar", "val"], "the validation pictures of ImageNet"), devkit]
        case .imageNetR: return [Part(["imagenet-r.tar", "imagenet-r", Self.itself], "the pictures of ImageNet-R")]
        case .imageNetSegmentation:
            return [Part(["gtsegs_ijcv.mat"], "the pictures and masks of ImageNet-Segmentation")]
        case .imageNetS50: return imageNetS("ImageNetS50", published: "a0fe9d82231f9bc4787ee76e304dfa51", split)
        case .imageNetS300: return imageNetS("ImageNetS300", published: "dd8e42e156bac415a35c3c239de297bf", split)
        case .imageNetS919: return imageNetS("ImageNetS919", published: "5f7f58ae1003d21da9409a8576bf7680", split)
        case .cifar10:
            return [
                Part(
                    [
                        "cifar-10-binary.tar.gz", "cifar-10-python.tar.gz", "cifar-10-batches-bin",
                        "cifar-10-batches-py", Self.itself,
                    ],
                    "the pictures of CIFAR-10")
            ]
        case .cifar100:
            return [
                Part(
                    [
                        "cifar-100-binary.tar.gz", "cifar-100-python.tar.gz", "cifar-100-binary", "cifar-100-python",
                        Self.itself,
                    ],
                    "the pictures of CIFAR-100")
            ]
        case .voc2012:
            return [
                Part(
                    ["VOCtrainval_11-May-2012.tar", "VOCdevkit", "VOC2012", Self.itself], "the kit of Pascal VOC 2012")
            ]
        case .pascalContext:
            return [
                Part(["VOCtrainval_03-May-2010.tar", "VOCdevkit", "VOC2010"], "the pictures of Pascal VOC 2010"),
                Part(["trainval.tar.gz", "trainval"], "the label maps of Pascal Context"),
                Part(["labels.txt"], "the labels of Pascal Context", isOptional: true),
                Part(["59_labels.txt"], "the 59 classes of Pascal Context"),
            ]
        case .coco2017Train: return coco("train2017")
        case .coco2017Validation: return coco("val2017")
        case .classFolders: return [Part([Self.itself], "folders of pictures, one a class")]
        case .imageTable: return [Part([Self.itself], "a CSV file of paths and labels")]
        case .imageMaskPairs: return [Part([Self.itself], "pictures with a mask each")]
        }
    }

    /// - Parameter published: what the published archive has behind its name.
    private func imageNetS(_ name: String, published: String, _ split: String?) -> [Part] {
        let pictures =
            split == "train-semi" ? ["ILSVRC2012_img_train.tar", "train"] : ["ILSVRC2012_img_val.tar", "val"]
        return [
            Part(["\(name)-\(published).zip", name + ".zip", name + ".tar", name], "the masks of \(name)"),
            Part(pictures, "the pictures of \(name)", isOptional: true, neighbour: "imagenet"),
        ]
    }

    private func coco(_ pictures: String) -> [Part] {
        [
            Part([pictures + ".zip", pictures], "the pictures of COCO 2017"),
            Part(["annotations_trainval2017.zip", "annotations"], "the annotations of COCO 2017"),
        ]
    }
}
