import Foundation
import Foundations

/// A CSV file of pictures and their labels, with the header `path,label` or `path,label,mask`.
///
/// Paths begin at the CSV file's folder and cannot leave it, by links neither. A label is the name of a
/// class, or where all of them are whole numbers and the classes have names given, an index; an empty one
/// says nothing. Masks are as those of ``ImageMaskPairs``.
public struct ImageTable: SegmentedImages {
    public let classNames: [String]
    private let folder: String
    private let rows: [Row]
    private let ignored: UInt16?

    private struct Row {
        var path: String
        var label: Int?
        var mask: String?
    }

    /// - Parameters:
    ///   - classNames: in label order; nil takes the table's labels, by number or else by name.
    ///   - ignored: the number of a mask's pixels that do not count; nil for none.
    /// - Throws: ``InputError``, ``DataSetError``.
    public init(_ csv: URL, classNames: [String]? = nil, ignored: UInt16? = 255) throws {
        let path = csv.path
        let table = try CSVRows(TextFile.text(csv, purpose: "a table of pictures and labels"), path: path).rows
        guard let header = table.first,
            ["path,label", "path,label,mask"].contains(header.fields.joined(separator: ","))
        else {
            throw InputError.malformedFile(
                path: path, place: "line 1", expected: "the header path,label or path,label,mask")
        }
        guard table.count > 1 else { throw DataSetError.empty(path: path, expected: "rows below the header") }
        for row in table where row.fields.count != header.fields.count {
            throw InputError.malformedFile(
                path: path, place: "line \(row.line)",
                expected: "\(header.fields.count) fields, here are \(row.fields.count)")
        }
        let labels = try Labels(table.dropFirst(), classNames: classNames)
        let folder = csv.deletingLastPathComponent().path
        guard let root = realpath(folder, nil) else {
            throw InputError.missingFile(path: folder, purpose: "the pictures of a table")
        }
        defer { free(root) }
        let inside = String(cString: root)
        func checked(_ name: String, line: Int) throws -> String {
            try Self.check(name, below: folder, resolved: inside, csv: path, place: "line \(line)")
            return name
        }
        var seen: Set<String> = []
        rows = try table.dropFirst().map { row in
            guard seen.insert(row.fields[0]).inserted else {
                throw DataSetError.pictureListedTwice(path: path, place: "line \(row.line)", picture: row.fields[0])
            }
            let mask = row.fields.count > 2 && !row.fields[2].isEmpty ? try checked(row.fields[2], line: row.line) : nil
            return Row(
                path: try checked(row.fields[0], line: row.line), label: try labels.index(row, path: path), mask: mask)
        }
        self.classNames = labels.classNames
        (self.folder, self.ignored) = (folder, ignored)
    }

    /// - Throws: ``DataSetError/pathOutside(path:place:picture:)``, ``DataSetError/missingPicture(path:place:picture:)``.
    private static func check(_ name: String, below folder: String, resolved root: String, csv: String, place: String)
        throws
    {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = !name.utf8.contains(0) && parts.allSatisfy { !["", ".", ".."].contains($0) }
        guard isPlain else { throw DataSetError.pathOutside(path: csv, place: place, picture: name) }
        guard let target = realpath(folder + "/" + name, nil) else {
            throw DataSetError.missingPicture(path: csv, place: place, picture: name)
        }
        defer { free(target) }
        let prefix = root.hasSuffix("/") ? root : root + "/"
        guard String(cString: target).utf8.starts(with: prefix.utf8) else {
            throw DataSetError.pathOutside(path: csv, place: place, picture: name)
        }
    }

    /// What the labels of a table mean.
    private struct Labels {
        let classNames: [String]
        private let indices: [String: Int]
        /// Labels are indices into names that were given.
        private let areNumbers: Bool

        init(_ rows: ArraySlice<CSVRows.Row>, classNames given: [String]?) throws {
            let distinct = Set(rows.map { $0.fields[1] }).subtracting([""])
            let numbers = distinct.compactMap { label in Int(label).flatMap { String($0) == label ? $0 : nil } }
            let areAllNumbers = numbers.count == distinct.count
            areNumbers = given != nil && areAllNumbers
            classNames = given ?? (areAllNumbers ? numbers.sorted().map(String.init) : distinct.sortedByBytes())
            indices = Dictionary(
                classNames.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { first, _ in first })
        }

        func index(_ row: CSVRows.Row, path: String) throws -> Int? {
            let label = row.fields[1]
            if label.isEmpty { return nil }
            if areNumbers, let number = Int(label) {
                guard classNames.indices.contains(number) else {
                    throw DataSetError.labelOutOfRange(
                        path: path, place: "line \(row.line)", label: number, classes: classNames.count)
                }
                return number
            }
            guard let index = indices[label] else {
                throw DataSetError.unknownClass(path: path, place: "line \(row.line)", name: label)
            }
            return index
        }
    }

    /// The files of pictures and masks.
    var files: [URL] {
        rows.flatMap { [$0.path, $0.mask].compactMap { $0 } }.map { URL(fileURLWithPath: folder + "/" + $0) }
    }

    public var count: Int { rows.count }

    public func record(_ index: Int) -> ImageRecord {
        ImageRecord(id: rows[index].path, labels: rows[index].label.map { [$0] } ?? [])
    }

    public func picture(_ index: Int) throws -> StoredPicture { .encoded(Data(try contents(rows[index].path))) }

    public func place(_ index: Int) -> String { folder + "/" + rows[index].path }

    /// - Throws: ``DataSetError/missingMask(path:picture:)`` for a row without one, and others.
    public func mask(_ index: Int) throws -> LabelMask {
        let row = rows[index]
        guard let name = row.mask else { throw DataSetError.missingMask(path: folder, picture: row.path) }
        let path = folder + "/" + name
        return try LabelMask(
            indexPNG: contents(name), path: path, ignored: ignored, classes: classNames.count, picture: row.path
        ).checked(against: contents(row.path), path: path, id: row.path, place: place(index))
    }

    private func contents(_ name: String) throws -> [UInt8] {
        let path = folder + "/" + name
        do {
            return [UInt8](try RegularFile.contents(of: path, limit: FileLimit.picture))
        } catch .tooLarge(let bytes, let limit) {
            throw DataSetError.tooLarge(path: folder, place: name, bytes: bytes, limit: limit)
        } catch {
            throw InputError.imageNotRead(path: path, reason: error.text)
        }
    }
}

extension PictureSet {
    /// A CSV file of paths and labels.
    public static let imageTable = PictureSet(
        "image-table", isReaders: true, hasMasks: true, place: .table,
        parts: { _ in [Part("table", ["."], "a CSV file of paths and labels")] },
        otherFiles: { try ImageTable($0).files }, open: { LabelledPictures(try ImageTable($0.source)) })
}

extension ImageTable {
    fileprivate init(_ source: PictureSource) throws {
        try self.init(source.place, classNames: source.tableClasses.map(PromptSet.classNames))
    }
}
