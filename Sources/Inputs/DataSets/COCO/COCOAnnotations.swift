import Archives
import Foundation

/// The contents of a COCO file of instances or stuff: pictures, categories, and what was marked where.
///
/// The file is scanned once, at the speed of its bytes, and stays in memory as it is; of each annotation
/// only numbers are kept, and a segmentation is read when its mask is wanted.
struct COCOAnnotations: Sendable {
    struct Picture: Sendable {
        var id: Int
        var width: Int
        var height: Int
        var fileName: String
    }

    struct Annotation: Sendable {
        /// Index into `categories`.
        var category: Int32
        /// A region of many objects that nobody has told apart.
        var isCrowd: Bool
        /// The value of "segmentation" in `bytes`; empty where there is none.
        var segmentation: Range<Int>
    }

    let path: String
    let bytes: [UInt8]
    /// Ordered by id, as torchvision orders them.
    let pictures: [Picture]
    /// Ordered by id.
    let categories: [(id: Int, name: String)]
    /// Annotations of all pictures, one picture's after the other, each picture's in the order of the file.
    private let annotations: [Annotation]
    private let starts: [Int]

    func annotations(of picture: Int) -> ArraySlice<Annotation> { annotations[starts[picture]..<starts[picture + 1]] }

    /// - Parameter path: for errors.
    /// - Throws: ``InputError/malformedFile(path:place:expected:)``, ``DataSetError``.
    init(_ bytes: [UInt8], path: String) throws {
        self.bytes = bytes
        self.path = path
        var scan = Scan()
        do {
            try bytes.withUnsafeBytes { buffer in
                var json = JSONBytes(buffer)
                try scan.file(&json)
            }
        } catch let fault as JSONBytes.Fault {
            throw InputError.malformedFile(path: path, place: "byte \(fault.offset)", expected: fault.expected)
        }
        let found = [
            ("images", scan.pictures != nil), ("annotations", scan.annotations != nil),
            ("categories", scan.categories != nil),
        ]
        for (key, isThere) in found where !isThere {
            throw InputError.malformedFile(path: path, place: "top level", expected: "an array '\(key)'")
        }
        let pictures = (scan.pictures ?? []).sorted { $0.id < $1.id }
        let categories = (scan.categories ?? []).sorted { $0.id < $1.id }
        guard !pictures.isEmpty else { throw DataSetError.empty(path: path, expected: "pictures in 'images'") }
        guard !categories.isEmpty else { throw DataSetError.empty(path: path, expected: "classes in 'categories'") }
        for (first, second) in zip(pictures, pictures.dropFirst()) where first.id == second.id {
            throw DataSetError.pictureListedTwice(path: path, place: "images", picture: String(first.id))
        }
        for (first, second) in zip(categories, categories.dropFirst()) where first.id == second.id {
            throw InputError.malformedFile(
                path: path, place: "categories", expected: "each id once, \(first.id) comes twice")
        }
        self.pictures = pictures
        self.categories = categories

        let pictureIndices = Dictionary(uniqueKeysWithValues: pictures.enumerated().map { ($0.element.id, $0.offset) })
        let categoryIndices = Dictionary(
            uniqueKeysWithValues: categories.enumerated().map { ($0.element.id, Int32($0.offset)) })
        // Annotations by picture, in the order of the file: a counting sort.
        let raw = scan.annotations ?? []
        var starts = [Int](repeating: 0, count: pictures.count + 1)
        var owners: [Int32] = []
        owners.reserveCapacity(raw.count)
        for annotation in raw {
            guard let picture = pictureIndices[annotation.picture] else {
                throw DataSetError.unknownPicture(
                    path: path, place: "byte \(annotation.offset)", picture: String(annotation.picture))
            }
            owners.append(Int32(picture))
            starts[picture + 1] += 1
        }
        for picture in pictures.indices { starts[picture + 1] += starts[picture] }
        var next = starts
        var sorted = [Annotation](
            repeating: Annotation(category: 0, isCrowd: false, segmentation: 0..<0), count: raw.count)
        for (annotation, owner) in zip(raw, owners) {
            guard let category = categoryIndices[annotation.category] else {
                throw DataSetError.labelOutOfRange(
                    path: path, place: "byte \(annotation.offset)", label: annotation.category,
                    classes: categories.count)
            }
            sorted[next[Int(owner)]] = Annotation(
                category: category, isCrowd: annotation.isCrowd, segmentation: annotation.segmentation)
            next[Int(owner)] += 1
        }
        self.starts = starts
        annotations = sorted
    }
}

extension COCOAnnotations {
    /// What one pass over the file brings together. Keys may come in any order.
    private struct Scan {
        var pictures: [Picture]?
        var categories: [(id: Int, name: String)]?
        var annotations: [RawAnnotation]?

        /// Pixels a side beyond which no picture is painted.
        static let sides = 1...1 << 15
        /// More ids than 16-bit labels could tell apart are no categories.
        static let categoryIDs = 0...60_000

        struct RawAnnotation {
            var offset: Int
            var picture: Int
            var category: Int
            var isCrowd: Bool
            var segmentation: Range<Int>
        }

        mutating func file(_ json: inout JSONBytes) throws {
            try json.object { json, key in
                let start = json.position
                switch key {
                case "images" where pictures == nil:
                    var found: [Picture] = []
                    try json.array { found.append(try Self.picture(&$0)) }
                    pictures = found
                case "categories" where categories == nil:
                    var found: [(id: Int, name: String)] = []
                    try json.array { found.append(try Self.category(&$0)) }
                    categories = found
                case "annotations" where annotations == nil:
                    var found: [RawAnnotation] = []
                    try json.array { found.append(try Self.annotation(&$0)) }
                    annotations = found
                case "images", "categories", "annotations": throw json.fault("'\(key)' once", at: start)
                default: try json.skipValue()
                }
            }
            try json.end()
        }

        private static func picture(_ json: inout JSONBytes) throws -> Picture {
            var (id, width, height, name): (Int?, Int?, Int?, String?)
            _ = json.peek()
            let start = json.position
            try json.object { json, key in
                switch key {
                case "id": id = try json.integer()
                case "width": width = try json.integer()
                case "height": height = try json.integer()
                case "file_name": name = try json.string()
                default: try json.skipValue()
                }
            }
            guard let id, let width, let height, let name, sides.contains(width), sides.contains(height) else {
                throw json.fault("a picture with id, width, height and file_name", at: start)
            }
            return Picture(id: id, width: width, height: height, fileName: name)
        }

        private static func category(_ json: inout JSONBytes) throws -> (id: Int, name: String) {
            var (id, name): (Int?, String?)
            _ = json.peek()
            let start = json.position
            try json.object { json, key in
                switch key {
                case "id": id = try json.integer()
                case "name": name = try json.string()
                default: try json.skipValue()
                }
            }
            guard let id, let name, categoryIDs.contains(id) else {
                throw json.fault("a category with id and name", at: start)
            }
            return (id, name)
        }

        private static func annotation(_ json: inout JSONBytes) throws -> RawAnnotation {
            var (picture, category): (Int?, Int?)
            var isCrowd = false
            var segmentation = 0..<0
            _ = json.peek()
            let start = json.position
            try json.object { json, key in
                switch key {
                case "image_id": picture = try json.integer()
                case "category_id": category = try json.integer()
                case "iscrowd": isCrowd = try json.integer() != 0
                case "segmentation": segmentation = try json.skipValue()
                default: try json.skipValue()
                }
            }
            guard let picture, let category else {
                throw json.fault("an annotation with image_id and category_id", at: start)
            }
            return RawAnnotation(
                offset: start, picture: picture, category: category, isCrowd: isCrowd, segmentation: segmentation)
        }
    }
}
