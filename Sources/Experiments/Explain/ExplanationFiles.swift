import Attribution
import CLIPModel
import Foundation
import Foundations
import Inputs
import Pipeline
import Safetensors

/// The files of an explanation: they get their names when all of them are complete, and what an earlier explanation
/// left in the folder goes.
public struct ExplanationFiles {
    /// Pictures for people have no longer side than this.
    private static let longestSide = 1024

    private let folder: URL
    private let texts: [String]
    private let hasWords: Bool
    /// By name.
    private let files: [String: PendingFile]

    private static let document = "explanation.json"
    private static let points = "points.json"
    private static let maps = "maps.safetensors"
    private static let overview = "overview.png"
    private static let words = "words.png"

    private enum Picture: String, CaseIterable {
        case overlay, map, points
    }

    /// Makes the folder and finds out whether the files can be written, before there is anything to write.
    /// - Throws: `OutputError`.
    public init(in folder: URL, texts: [String], hasWords: Bool) throws {
        try OutputFolder(folder).probe()
        (self.folder, self.texts, self.hasWords) = (folder, texts, hasWords)
        var files: [String: PendingFile] = [:]
        for name in Self.names(texts: texts, hasWords: hasWords) {
            files[name] = try PendingFile(for: folder.appendingPathComponent(name), followsLink: false)
        }
        self.files = files
    }

    /// The names of the files of an explanation.
    public static func names(texts: [String], hasWords: Bool) -> [String] {
        [document, points, maps, overview] + (hasWords ? [words] : [])
            + texts.indices.flatMap { index in Picture.allCases.map { name(index, texts[index], $0) } }
    }

    /// The overlay of a text.
    public func overlay(_ index: Int) -> URL { folder.appendingPathComponent(Self.name(index, texts[index], .overlay)) }

    /// `1-ship.png`: letters and digits of the text, at most 60 bytes, and what else it has as hyphens.
    private static func name(_ index: Int, _ text: String, _ picture: Picture) -> String {
        var words = Substring(text.lowercased().split { !$0.isLetter && !$0.isNumber }.joined(separator: "-"))
        while words.utf8.count > 60 { words.removeLast() }
        let suffix = picture == .overlay ? "" : "-\(picture.rawValue)"
        return "\(index + 1)\(words.isEmpty ? "" : "-\(words)")\(suffix).png"
    }

    /// Writes everything.
    /// - Throws: `InputError` for a missing font; `OutputError`; what encoding throws.
    public func write(
        _ explanation: Explanation, of image: RGBImage, path: String, digest: String, _ clip: CLIP, model: String,
        watched watch: FileWatch, sentence: String?, _ settings: ExplanationSettings, program: ProgramDescription
    ) throws {
        let shown = image.reduced(toLongest: Self.longestSide)
        for (index, text) in explanation.texts.enumerated() {
            let map = text.map.normalised().resized(width: shown.width, height: shown.height)
            let scale = Double(shown.width) / Double(image.width)
            try put(shown.overlaid(with: map), Self.name(index, text.text, .overlay))
            try put(shown.grey(map), Self.name(index, text.text, .map))
            try put(shown.marked(by: text.points, scale: scale), Self.name(index, text.text, .points))
        }
        try put(try overview(explanation, shown), Self.overview)
        if hasWords { try put(try words(explanation, shown), Self.words) }
        try put(try json(ExplanationDocument.Points(explanation, image)), Self.points)
        try put(try maps(explanation), Self.maps)
        let entry = try ModelEntry(clip, path: model)
        // The digests are of what was computed with.
        try watch.check()
        try put(
            try json(
                ExplanationDocument(
                    program: program, model: entry,
                    image: .init(path: path, sha256: digest, width: image.width, height: image.height), explanation,
                    settings,
                    sentence: sentence, files: files.keys.sorted())), Self.document)
        let earlier = ExplanationDocument.files(in: folder)
        // The document last: what it lists is there.
        for (name, file) in files.sorted(by: { $0.key < $1.key }) where name != Self.document { try file.commit() }
        try files[Self.document]?.commit()
        for name in earlier where files[name] == nil {
            try? OutputFolder(folder).remove(name)
        }
    }

    private func overview(_ explanation: Explanation, _ shown: RGBImage) throws -> RGBImage {
        let small = shown.reduced(toLongest: 320)
        let cells = explanation.texts.map { text in
            Gallery.Cell(
                small.overlaid(with: text.map.normalised().resized(width: small.width, height: small.height)),
                captions: [text.text, "cosine \(String(format: "%.3f", text.cosine))"])
        }
        return try gallery(
            [Gallery.Cell(small)] + cells, title: "Red: where a text fits best; every map has some", small)
    }

    private func words(_ explanation: Explanation, _ shown: RGBImage) throws -> RGBImage {
        let small = shown.reduced(toLongest: 160)
        let cells = explanation.words.map { word in
            Gallery.Cell(
                small.overlaid(with: word.map.normalised().resized(width: small.width, height: small.height)),
                captions: [word.piece])
        }
        return try gallery(
            [Gallery.Cell(small)] + cells, title: "Word pieces, as the text tower has read up to them", small)
    }

    private func gallery(_ cells: [Gallery.Cell], title: String, _ picture: RGBImage) throws -> RGBImage {
        let columns = 6
        let rows = stride(from: 0, to: cells.count, by: columns).map {
            Gallery.Row(cells: Array(cells[$0..<min($0 + columns, cells.count)]))
        }
        return try Gallery(title: title, rows: rows, scale: max(1, 128 / max(picture.width, picture.height))).drawn(
            font: Gallery.font)
    }

    private func maps(_ explanation: Explanation) throws -> Data {
        func tensor(_ maps: [HeatMap]) throws -> StoredTensor {
            try StoredTensor(
                maps.flatMap(\.values), shape: [maps.count, maps.first?.side ?? 0, maps.first?.side ?? 0])
        }
        var tensors = ["maps": try tensor(explanation.texts.map(\.map))]
        if hasWords { tensors["words"] = try tensor(explanation.words.map(\.map)) }
        return try SafetensorsWriter(
            tensors: tensors,
            metadata: [
                "maps": "[texts, rows, columns], similarities of the patches, neither scaled nor clipped",
                "words": "[word pieces, rows, columns], likewise",
            ]
        ).data()
    }

    private func json(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value) + Data("\n".utf8)
    }

    private func put(_ image: RGBImage, _ name: String) throws { try put(try image.png(for: name), name) }

    private func put(_ data: Data, _ name: String) throws {
        guard let file = files[name] else { preconditionFailure("'\(name)' is none of the files of an explanation") }
        try file.reserve(data.count)
        try data.withUnsafeBytes { try file.write($0, at: 0) }
    }
}

extension RGBImage {
    /// The picture, made smaller where its longer side has more pixels than this.
    func reduced(toLongest side: Int) -> RGBImage {
        guard max(width, height) > side else { return self }
        let ratio = Double(side) / Double(max(width, height))
        return resized(width: max(1, Int(Double(width) * ratio)), height: max(1, Int(Double(height) * ratio)))
    }

    /// A map in grey, black where it is 0. // [height, width]
    fileprivate func grey(_ map: [Float]) -> RGBImage {
        RGBImage(
            width: width, height: height,
            pixels: map.flatMap { [UInt8](repeating: UInt8(($0 * 255).rounded()), count: 3) })
    }

    /// Points as discs: green for the object, red for the rest.
    fileprivate func marked(by points: PointPrompts, scale: Double) -> RGBImage {
        var image = self
        let radius = max(1, max(width, height) / 100)
        func mark(_ point: PointPrompts.Point, _ colour: [UInt8]) {
            image.fillDisc(
                x: Int((Double(point.x) + 0.5) * scale), y: Int((Double(point.y) + 0.5) * scale), radius: radius, colour
            )
        }
        for point in points.negative { mark(point, [220, 30, 30]) }
        for point in points.positive { mark(point, [30, 200, 60]) }
        return image
    }
}
