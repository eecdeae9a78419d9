import Foundation
import Foundations
import Inputs
import TestSupport

/// The reader's own pictures in the three forms that a spec takes: four pictures of noise of two classes, with
/// masks that show the picture's class in a rectangle.
enum OwnPictures {
    /// In the order of their names, as a table without names of its own numbers them.
    static let classes = ["green", "red"]
    private static let (width, height) = (12, 10)

    /// Classes by the pictures' names.
    static let labels = ["0.png": "green", "1.png": "red", "2.png": "green", "3.png": "red"]

    private static func picture(_ index: Int) throws -> Data {
        var random = SplitMix64(seed: 5, label: "own picture", index: UInt64(index))
        let pixels = (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return try RGBImage(width: width, height: height, pixels: pixels).png(for: "\(index).png")
    }

    /// A picture that is none of the four.
    static func another() throws -> Data { try picture(4) }

    /// - Parameter rows: of the rectangle.
    static func mask(of index: Int, rows: Range<Int> = 2..<7, width: Int = width) -> Data {
        LabelPNG.data(
            width: width, height: height,
            (0..<height).flatMap { row in
                (0..<width).map { rows.contains(row) && (3..<8).contains($0) ? UInt8(index % classes.count + 1) : 0 }
            })
    }

    /// `images/`, `masks/` and `classes.txt`.
    static func pairs() throws -> [String: Data] {
        var files = ["classes.txt": Data((classes.joined(separator: "\n") + "\n").utf8)]
        for index in 0..<labels.count {
            files["images/\(index).png"] = try picture(index)
            files["masks/\(index).png"] = mask(of: index)
        }
        return files
    }

    /// `table.csv`, pictures and masks.
    static func table() throws -> [String: Data] {
        let names = labels.keys.sorted()
        let rows = names.map { "\($0),\(labels[$0] ?? ""),mask-\($0)\n" }.joined()
        var files = ["table.csv": Data("path,label,mask\n\(rows)".utf8)]
        for (index, name) in names.enumerated() {
            files[name] = try picture(index)
            files["mask-\(name)"] = mask(of: index)
        }
        return files
    }

    /// A folder a class.
    static func classFolders() throws -> [String: Data] {
        var files: [String: Data] = [:]
        for (index, name) in labels.keys.sorted().enumerated() {
            files["\(labels[name] ?? "")/\(name)"] = try picture(index)
        }
        return files
    }

    static func write(_ files: [String: Data], to folder: URL) throws {
        for (name, data) in files {
            let url = folder.appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.write(to: url)
        }
    }

    /// - Parameter folder: in the archive, with a slash.
    static func pack(_ files: [String: Data], below folder: String, to archive: URL) throws {
        var tar = TarBuilder()
        for (name, data) in files.sorted(by: { $0.key < $1.key }) {
            tar.add(Array((folder + name).utf8), data: Array(data))
        }
        try FileManager.default.createDirectory(
            at: archive.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(tar.closed).write(to: archive)
    }
}

extension PictureStudy {
    /// The fixture's pairs, whose masks show several classes.
    func installPairsOfSeveralObjects() throws {
        var files: [String: Data] = ["classes.txt": Data("red\ngreen\nblue\n".utf8)]
        let archive = try DataSetFixtures.archive("pairs.tar")
        for file in 0..<archive.count {
            files[String(archive.path(of: file).dropFirst("pairs/".count))] = Data(try archive.contents(of: file))
        }
        try OwnPictures.pack(files, below: "pairs/", to: own("pairs.tar"))
    }
}
