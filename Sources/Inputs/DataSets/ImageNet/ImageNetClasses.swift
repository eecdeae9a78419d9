import Archives
import Foundation

/// The classes of ILSVRC 2012 in the order of all published classifiers: by their WordNet numbers.
public struct ImageNetClasses: Sendable, Equatable {
    /// Such as `n01440764`, ascending.
    public let wnids: [String]
    /// What the classes are called.
    public let names: [String]

    /// - Throws: ``DataSetError/classCount(path:found:expected:)``.
    init(wnids: [String], names: [String], path: String) throws {
        guard wnids.count == names.count else {
            throw DataSetError.classCount(path: path, found: names.count, expected: wnids.count)
        }
        (self.wnids, self.names) = (wnids, names)
    }

    /// - Parameters:
    ///   - wnids: one a line, ascending.
    ///   - names: one a line in the same order, such as the curated ones of zero-shot classifiers.
    /// - Throws: ``InputError``, ``DataSetError``.
    public init(wnids: URL, names: URL) throws {
        let lines = try TextFile.lines(wnids, purpose: "the WordNet numbers of ImageNet's classes")
        for line in lines where !Self.isWNID(line.text) {
            throw InputError.malformedFile(
                path: wnids.path, place: line.place, expected: "a WordNet number such as n01440764")
        }
        for (first, second) in zip(lines, lines.dropFirst())
        where !String(first.text).precedesByBytes(String(second.text)) {
            throw InputError.malformedFile(
                path: wnids.path, place: second.place, expected: "ascending WordNet numbers, each once")
        }
        guard !lines.isEmpty else { throw DataSetError.empty(path: wnids.path, expected: "WordNet numbers") }
        try self.init(
            wnids: lines.map { String($0.text) }, names: PromptSet.classNames(names), path: names.path)
    }

    static func isWNID(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 9 && text.first == "n" && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// The development kit of ILSVRC 2012 (tasks 1 and 2), `ILSVRC2012_devkit_t12.tar.gz`: what the classes
/// are called, and the labels of the validation set.
///
/// `data/meta.mat` holds an array `synsets` of structures with ILSVRC2012_ID, WNID, words and
/// num_children; its classes are those without children. `data/ILSVRC2012_validation_ground_truth.txt`
/// has the ILSVRC2012_ID of picture n in line n.
public struct ImageNetDevkit: Sendable {
    /// Names are the first words of the synsets.
    public let classes: ImageNetClasses
    /// Index of the class of each picture of the validation set, in their order.
    public let validationLabels: [Int]
    /// For errors.
    let groundTruthPath: String

    private static let meta = "data/meta.mat"
    private static let groundTruth = "data/ILSVRC2012_validation_ground_truth.txt"
    private static let purpose = "the classes of ImageNet, from ILSVRC2012_devkit_t12.tar.gz"
    private static let variableBytes = 64 << 20

    /// - Throws: ``InputError``, ``DataSetError``, `ArchiveError`.
    public init(_ files: any FileCollection) throws {
        let tree = try FileTree(files, landmark: Self.meta, purpose: Self.purpose)
        let metaFile = try tree.index(Self.meta, purpose: Self.purpose)
        let path = tree.place(Self.meta)
        let bytes = try files.contents(of: metaFile, limit: FileLimit.picture)
        let synsets = try MATLAB5File(bytes, path: path, wanted: ["synsets"], limit: Self.variableBytes).variables[
            "synsets"]
        guard let synsets = synsets?.structures else {
            throw InputError.malformedFile(path: path, place: "synsets", expected: "an array of structures")
        }
        var leaves: [(wnid: String, name: String, id: Int)] = []
        for (index, synset) in synsets.enumerated() {
            guard let id = synset["ILSVRC2012_ID"]?.integer, let wnid = synset["WNID"]?.text,
                ImageNetClasses.isWNID(wnid),
                let words = synset["words"]?.text, let children = synset["num_children"]?.integer
            else {
                throw InputError.malformedFile(
                    path: path, place: "synsets(\(index + 1))", expected: "ILSVRC2012_ID, WNID, words and num_children")
            }
            let name = words.split(separator: ",").first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
            if children == 0 { leaves.append((wnid, name, id)) }
        }
        guard !leaves.isEmpty else { throw DataSetError.empty(path: path, expected: "synsets without children") }
        leaves.sort { $0.wnid.precedesByBytes($1.wnid) }
        let labels = Dictionary(
            leaves.enumerated().map { ($0.element.id, $0.offset) }, uniquingKeysWith: { first, _ in first })
        guard labels.count == leaves.count, Set(leaves.map(\.wnid)).count == leaves.count else {
            throw InputError.malformedFile(path: path, place: "synsets", expected: "each ILSVRC2012_ID and WNID once")
        }
        classes = try ImageNetClasses(wnids: leaves.map(\.wnid), names: leaves.map(\.name), path: path)

        groundTruthPath = tree.place(Self.groundTruth)
        validationLabels = try tree.lines(Self.groundTruth, purpose: Self.purpose).map { [groundTruthPath] line in
            guard let id = Int(line.text) else {
                throw InputError.malformedFile(path: groundTruthPath, place: line.place, expected: "an ILSVRC2012_ID")
            }
            guard let label = labels[id] else {
                throw DataSetError.labelOutOfRange(
                    path: groundTruthPath, place: line.place, label: id, classes: labels.count)
            }
            return label
        }
        guard !validationLabels.isEmpty else {
            throw DataSetError.empty(path: groundTruthPath, expected: "an ILSVRC2012_ID a line")
        }
    }
}
