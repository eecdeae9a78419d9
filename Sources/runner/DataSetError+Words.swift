import Inputs

extension Failure {
    static func words(_ error: DataSetError) -> Failure {
        func sides(_ size: [Int]) -> String { size.map(String.init).joined(separator: "×") }
        return switch error {
        case .notThere(let set, let place, let expected, let purpose):
            Failure(
                .inputMissing,
                expected.isEmpty
                    ? "\(place): not found; it is needed for \(purpose)"
                    : "\(place): there is no \(expected.joined(separator: " or ")), needed for \(purpose)",
                fix: expected.isEmpty
                    ? "check the path"
                    : "get it with `runner fetch \(set)`, link the folder that has it to \(place), or name its path in the spec; --data names another folder of data"
            )
        case .changed(let place):
            Failure(
                .badData, "\(place): changed since its set was listed",
                fix:
                    "let nothing write to the data while a run reads them; then run the same command again, finished shards are kept"
            )
        case .tooManyObjects(let picture, let found, let limit):
            Failure(
                .badData, "\(picture): its mask shows \(found) classes, at most \(limit) are counted",
                fix: "check that the mask belongs to the set")
        case .maskOfOtherClasses(let picture, let label, let shown):
            Failure(
                .badData,
                "\(picture): labelled '\(label)', but its mask shows \(shown.map { "'\($0)'" }.joined(separator: ", ")) instead",
                fix:
                    "the number k in a mask stands for the k-th class, in the order of the list of classes or else of their sorted names: renumber the masks, or name the list with `class-names:`"
            )
        case .empty(let path, let expected):
            Failure(
                .badData, "\(path): nothing of the data set is here; expected \(expected)",
                fix: "check that the path names the archive or folder of this set")
        case .labelOutOfRange(let path, let place, let label, let classes):
            Failure(
                .badData, "\(path): \(place): the label \(label) is none of the \(classes) classes",
                fix: "check that labels and classes belong to the same set; restore the file if it is damaged")
        case .unknownClass(let path, let place, name: ""):
            Failure(
                .badData, "\(path): \(place) lies in no folder of a class",
                fix:
                    "put each picture into the folder of its class, or list pictures and labels in a CSV file (dataset: image-table)"
            )
        case .unknownClass(let path, let place, let name):
            Failure(
                .badData, "\(path): \(place): there is no class '\(name)'",
                fix:
                    "check that the list of classes belongs to the set, and that pictures lie in the folders of their classes"
            )
        case .classCount(let path, let found, let expected):
            Failure(
                .badData, "\(path): \(found) classes where \(expected) are expected",
                fix: "complete the set, or name the list of classes that belongs to it")
        case .pictureListedTwice(let path, let place, let picture):
            Failure(.badData, "\(path): \(place): the picture \(picture) comes twice", fix: "remove one of the two")
        case .missingPicture(let path, let place, let picture):
            Failure(
                .inputMissing, "\(path): the picture \(picture), named in \(place), is not here",
                fix: "complete the set; archives that were cut in the download are found by `runner verify`")
        case .missingMask(let path, let picture):
            Failure(
                .inputMissing, "\(path): there is no mask for the picture \(picture)",
                fix: "complete the set, or choose a split whose pictures have masks")
        case .unknownPicture(let path, let place, let picture):
            Failure(
                .badData, "\(path): \(place): the set has no picture \(picture)",
                fix: "check that annotations and pictures belong to the same set and split")
        case .maskOfAnotherSize(let path, let picture, let mask, let image):
            Failure(
                .badData, "\(path): the mask of \(picture) has \(sides(mask)) pixels, the picture \(sides(image))",
                fix: "give the picture the mask that was made for it")
        case .otherKindOfPlace(let set, let path, let isFolder, let fitting):
            Failure(
                .badData,
                "\(path): \(isFolder ? "a folder, and '\(set)' reads a CSV file of paths and labels" : "a text file, and '\(set)' reads a folder or an archive of pictures")",
                fix:
                    "write `dataset: \(fitting.joined(separator: "` or `dataset: "))` in the spec, or name another path"
            )
        case .missingFile(let path, let file, let purpose):
            Failure(
                .inputMissing, "\(path): there is no \(file), which is needed for \(purpose)",
                fix:
                    "check that the path names the set's own archive or folder, that it is complete, and that the set has this split"
            )
        case .noLines(let path, let expected):
            Failure(
                .badData, "\(path): the file is empty, expected is \(expected) in each line",
                fix: "write them into it, or leave the key that names the file out of the spec")
        case .pictureCount(let path, let found, let expected):
            Failure(
                .badData, "\(path): \(found) pictures for \(expected) labels",
                fix: "complete the set; archives that were cut in the download are found by `runner verify`")
        case .pathOutside(let path, let place, let picture):
            Failure(
                .badData, "\(path): \(place): the path '\(picture)' is not one of a file below the table's folder",
                fix: "write paths relative to the table, without '.', '..' and links that lead elsewhere")
        case .unreadablePickle(let path, let fault):
            Failure(
                .badData, "\(path): its pickle is refused: \(words(fault))",
                fix: "take the published file; pickles that call anything are never read")
        case .tooLarge(let path, let place, let bytes, let limit):
            Failure(
                .badData, "\(path): \(place): \(bytes) bytes, allowed are \(limit)",
                fix: "check that this is a file of the data set")
        }
    }
}

extension PictureFault {
    /// What mends it.
    var fix: String {
        switch self {
        case .unknownFormat, .unreadableFormat, .unsupported: "convert it to a baseline JPEG or a PNG file"
        case .empty, .cut, .damaged: "replace the file by a sound one"
        case .tooLarge: "reduce the picture"
        case .noMemory: "use fewer workers or a machine with more memory"
        }
    }
}
