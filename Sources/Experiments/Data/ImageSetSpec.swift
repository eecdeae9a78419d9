import Foundation
import Inputs
import Pipeline

/// The images that a spec names:
///
/// ```yaml
/// fit: {dataset: emoji-scenes, split: fit}                           # scenes of the manifest
/// fit: {dataset: imagenet-train, sample: {every: 250}}               # a published set, in data/imagenet
/// evaluation: {dataset: imagenet-val, path: /mnt/imagenet}           # its files lie elsewhere
/// evaluation: {dataset: cifar-10, split: test, sample: {random: 1000, seed: 0}}
/// evaluation: {dataset: class-folders, path: ../my-pictures}         # the reader's own
/// ```
struct ImageSetSpec: Sendable {
    enum Source: Sendable, Hashable {
        case scenes(dataset: String, SceneSplit)
        /// - Parameter path: where the files lie, if not in the set's own folder of data.
        case pictures(PictureSet, split: String?, path: URL?)
    }

    private(set) var source: Source
    let sampling: ImageSampling
    /// Where the spec says how it is sampled.
    let samplePlace: SpecPlace

    /// What rows call it: a published set by its name, one of the reader's own by the end of its path.
    /// - Parameter others: sets of the same spec; the end is as long as it takes to tell them apart.
    func dataset(among others: [ImageSetSpec]) -> String {
        guard let ownPath else { return name(parts: 0) }
        let rivals = others.filter { $0.ownPath != ownPath }
        let parts = (0...ownPath.pathComponents.count).first { parts in
            !rivals.contains { $0.name(parts: parts) == name(parts: parts) }
        }
        return name(parts: parts ?? ownPath.pathComponents.count)
    }

    /// - Parameter parts: of the path of one of the reader's own sets, which are all of a few kinds; 0 takes the
    ///   last without its extension.
    private func name(parts: Int) -> String {
        switch source {
        case .scenes(let dataset, _): dataset
        case .pictures(let set, _, _):
            if let ownPath {
                parts == 0
                    ? ownPath.deletingPathExtension().lastPathComponent
                    : ownPath.pathComponents.suffix(parts).joined(separator: "/")
            } else {
                set.name
            }
        }
    }

    /// Nil for scenes and published sets.
    private var ownPath: URL? {
        guard case .pictures(let set, _, let path?) = source, set.folder == nil else { return nil }
        return path
    }

    /// The part, and how it is sampled.
    var split: String {
        let part: String? =
            switch source {
            case .scenes(_, let split): split.rawValue
            case .pictures(_, let split, _): split
            }
        return [part, sampling.name].compactMap { $0 }.joined(separator: ", ")
    }
}

extension ImageSampling {
    /// Nil for all images.
    fileprivate var name: String? {
        switch self {
        case .all: nil
        case .every(let step): "1 of every \(step)"
        case .first(let count): "first \(count)"
        case .random(let count, let seed): "random \(count), seed \(seed)"
        }
    }
}

extension ImageSetSpec {
    private enum Key: String, CaseIterable {
        case dataset, split, path, sample
    }

    private enum SampleKey: String, CaseIterable {
        case every, first, random, seed
    }

    /// - Parameter scenes: names of the data sets of scenes.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root, among scenes: [String]) {
        let mapping = root.mapping(key, keys: Key.self)
        let dataset = mapping.string(.dataset, among: scenes + PictureSet.all.map(\.name))
        samplePlace = mapping.place(of: .sample)
        guard mapping.isSound(.dataset), let set = PictureSet.named(dataset) else {
            (source, sampling) = (.scenes(dataset: dataset, .fit), .all)
            if mapping.isSound(.dataset) { source = .scenes(dataset: dataset, Self.sceneSplit(mapping)) }
            return
        }
        if set.splits.isEmpty, mapping.has(.split) { mapping.fault(.split, "\(dataset) has one part only") }
        let split = set.splits.isEmpty ? nil : mapping.string(.split, among: set.splits)
        mapping.check(
            .dataset, holds: set.folder != nil || mapping.has(.path),
            "name the folder or file of your pictures with 'path'")
        source = .pictures(set, split: split, path: mapping.optionalFile(.path))
        sampling = Self.sampling(mapping)
    }

    private static func sceneSplit(_ mapping: SpecMapping<Key>) -> SceneSplit {
        let split: SceneSplit = mapping.choice(.split)
        mapping.check(.split, holds: split != .train, "'train' has no end; take fit, val, seg or val-r")
        for other in [Key.path, .sample] where mapping.has(other) {
            mapping.fault(other, "scenes are made by a recipe and have fixed splits")
        }
        return split
    }

    private static func sampling(_ mapping: SpecMapping<Key>) -> ImageSampling {
        guard let sample = mapping.optionalMapping(.sample, keys: SampleKey.self) else { return .all }
        let ways = [SampleKey.every, .first, .random].filter(sample.has)
        mapping.check(.sample, holds: ways.count == 1, "a sample is one of 'every', 'first' and 'random'")
        guard let way = ways.first else { return .all }
        if way != .random, sample.has(.seed) { sample.fault(.seed, "only a random sample has a seed") }
        let number = sample.integer(way, in: 1...100_000_000)
        return switch way {
        case .every: .every(number)
        case .random: .random(number, seed: UInt64(sample.integer(.seed, in: 0...Int.max, default: 0)))
        default: .first(number)
        }
    }
}
