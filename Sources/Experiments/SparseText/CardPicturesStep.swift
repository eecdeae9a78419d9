import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline
import Safetensors

/// For every neuron the fit images with the largest effects, and these images small, each of them once.
struct CardPictures: Artefact {
    struct Layer: Sendable, Equatable {
        /// Index of each picture in `images`, the largest effect first; −1 beyond the budget. Of a part that is not
        /// brought together with others yet: the image's index in the fit set. // [N, C]
        var pictures: [Int32]
        /// ⟨δφ_n, r_n⟩ of that image. // [N, C]
        var projections: Tensor
    }

    var layers: [Int: Layer]
    /// Index in the fit set of each image that is pictured, ascending.
    var images: [Int32]
    var sheets: [Data]

    /// A part of the layers, without pictures yet.
    init(layers: [Int: Layer]) { (self.layers, images, sheets) = (layers, [], []) }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                pictures: try stored.tensor("\(layer).pictures").int32s(),
                projections: try stored.numbers("\(layer).projections", dimensions: 2))
        }
        images = try stored.tensor("images").int32s()
        let lengths = try stored.tensor("sheet-lengths").int32s()
        var rest = try stored.tensor("sheets").data[...]
        guard lengths.allSatisfy({ $0 >= 0 }), lengths.reduce(0, { $0 + Int($1) }) == rest.count else {
            throw PipelineError.invalidArtefact(part: "sheets", reason: "\(rest.count) bytes")
        }
        sheets = lengths.map { length in
            defer { rest = rest.dropFirst(Int(length)) }
            return Data(rest.prefix(Int(length)))
        }
    }

    func stored() throws -> StoredArtefact {
        guard
            case .tensors(var tensors, let metadata) = try LayerTensors.write(
                layers,
                { layer in
                    [
                        "pictures": try StoredTensor(layer.pictures, shape: layer.projections.shape),
                        "projections": try layer.projections.stored(),
                    ]
                })
        else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        tensors["images"] = try StoredTensor(images, shape: [images.count])
        tensors["sheet-lengths"] = try StoredTensor(sheets.map { Int32($0.count) }, shape: [sheets.count])
        let bytes = sheets.reduce(Data(), +)
        tensors["sheets"] = try StoredTensor(type: .uint8, shape: [bytes.count], data: bytes)
        return .tensors(tensors, metadata: metadata)
    }

    /// Brings a layer's images together with those of the others, the strongest of every neuron before the second of
    /// any, until the budget is spent.
    /// - Parameters:
    ///   - largest: of each layer, images of the fit set. // [N, C]
    init(_ largest: [Int: Layer], budget: Int, count C: Int) {
        let order = largest.keys.sorted()
        var kept: Set<Int32> = []
        for c in 0..<C {
            for layer in order {
                let images = largest[layer]?.pictures ?? []
                for entry in stride(from: c, to: images.count, by: C) where kept.count < budget { kept.insert(images[entry]) }
            }
        }
        images = kept.sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(images, (0...).lazy.map { Int32($0) }))
        layers = largest.mapValues { layer in
            var layer = layer
            layer.pictures = layer.pictures.map { places[$0] ?? -1 }
            return layer
        }
        sheets = []
    }

    /// How the pictures lie.
    func sheets(of settings: CardPicturesStep.Settings) -> PictureSheets {
        PictureSheets(
            size: settings.size, columns: CardPicturesStep.sheetSide, rows: CardPicturesStep.sheetSide, count: images.count,
            sheets: sheets)
    }
}

enum CardPicturesStep {
    /// What a deck of cards may take: at 56 pixels a picture has about a kilobyte.
    struct Settings: Sendable {
        /// Pictures of a card.
        var count = 8
        /// Different pictures of all cards together.
        var budget = 6000
        /// Pixels of a picture's sides, at most those of the model's images.
        var size: Int
    }

    /// Pictures side by side, and lines of them.
    static let sheetSide = 16
    private static let quality = 72
    private static let largestSize = 56

    static func settings(_ study: Study) -> Settings {
        var settings = Settings(size: min(largestSize, study.model.configuration.vision.imageSize))
        settings.count = min(settings.count, study.spec.significantImages)
        return settings
    }

    static func add(_ study: Study, fitted: Study.Fitted, in graph: inout Graph) throws -> StepHandle<CardPictures> {
        let (model, layers, fit, settings) = (study.model, study.layers, study.fit, settings(study))
        // Mapped once: each worker that reads a layer's effects reads some of every shard.
        let runs = SharedParts(1) { inputs, _ in
            let shards = try inputs[fitted.largest]
            return try (0..<shards.count).map { try shards[$0] }
        }
        return try graph.add(
            Step(
                kind: "card-pictures", version: 1,
                parameters: [
                    "layers": .integers(layers), "pictures": .integer(settings.count), "budget": .integer(settings.budget),
                    "size": .integer(settings.size),
                ],
                inputs: [fit.images.erased, fitted.largest.erased, fitted.directions.erased], digests: ["model": model.digest],
                memory: model.memoryOfDirections(layers: layers, kept: settings.count),
                work: .map(
                    units: layers.count, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let parts = try inputs.parts(runs).flatMap { $0 }
                        let directions = try inputs[fitted.directions]
                        return { shard in
                            let lens = try model.lens(layers[shard.units.lowerBound])
                            let runs = try parts.map { try $0.layer(lens.layer) }
                            guard let largest = LargestEffects(runs.map(\.effects), count: settings.count) else {
                                throw PipelineError.invalidArtefact(
                                    part: "\(lens.layer).norms", reason: "a neuron has fewer than \(settings.count) effects")
                            }
                            let shares = runs.flatMap(\.biasShares.elements)
                            let projections = largest.projections(
                                lens, onto: try directions.layer(lens.layer).directions.directions,
                                biasShares: Tensor(
                                    shape: [shares.count / lens.embeddingWidth, lens.embeddingWidth], elements: shares))
                            return CardPictures(layers: [lens.layer: .init(pictures: largest.images, projections: projections)])
                        }
                    },
                    reduce: { inputs, shards in
                        var largest: [Int: CardPictures.Layer] = [:]
                        try shards.forEach { _, part in largest.merge(part.layers) { first, _ in first } }
                        var result = CardPictures(largest, budget: settings.budget, count: settings.count)
                        result.sheets = try sheets(
                            of: result.images, from: ImageReader(try inputs[fit.images]), settings, check: inputs.checkCancellation)
                        return result
                    })))
    }

    private static func sheets(
        of images: [Int32], from reader: ImageReader, _ settings: Settings, check: () throws -> Void
    ) throws -> [Data] {
        let perSheet = sheetSide * sheetSide
        let smaller = ImagePreprocessing(
            SquareGeometry(size: settings.size, resize: .exact(width: settings.size, height: settings.size)))
        return try stride(from: 0, to: images.count, by: perSheet).map { start in
            try check()
            let pictured = images[start..<min(start + perSheet, images.count)]
            var sheet = RGBImage(
                width: sheetSide * settings.size, height: (pictured.count + sheetSide - 1) / sheetSide * settings.size)
            for (place, image) in pictured.enumerated() {
                sheet.paste(
                    smaller(try reader.image(Int(image))), x: place % sheetSide * settings.size, y: place / sheetSide * settings.size)
            }
            return try sheet.jpeg(quality: quality, for: "pictures of the cards")
        }
    }
}
