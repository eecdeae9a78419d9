import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline

/// For every neuron the fit images with the largest effects, and these images small, each of them once.
struct CardPictures: ColumnTable {
    struct Layer: ColumnSet, Equatable {
        /// Index of each picture in `images`, the largest effect first; −1 beyond the budget. Of a part that is not
        /// brought together with others yet: the image's index in the fit set. // [N, C]
        var pictures: [Int32] = []
        /// ⟨δφ_n, r_n⟩ of that image. // [N, C]
        var projections = Tensor(zeros: [0, 0])

        static let columns: [Column<Self>] = [
            .rows("projections", \.projections, of: "neurons"),
            .rows("pictures", \.pictures, of: "neurons") { [$0.projections.rowWidth] },
        ]
    }

    var layers: [Int: Layer] = [:]
    /// Index in the fit set of each image that is pictured, ascending.
    var images: [Int32] = []
    /// Pictures side by side in JPEG files.
    var sheets: [Data] = []

    static let columns: [Column<Self>] = [
        .layers(\.layers), .rows("images", \.images), .files("sheets", \.sheets, of: "sheets"),
    ]

    init() {}
    /// A part of the layers, without pictures yet.
    init(layers: [Int: Layer]) { self.layers = layers }

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
                for entry in stride(from: c, to: images.count, by: C) where kept.count < budget {
                    kept.insert(images[entry])
                }
            }
        }
        images = kept.sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(images, (0...).lazy.map { Int32($0) }))
        layers = largest.mapValues { layer in
            var layer = layer
            layer.pictures = layer.pictures.map { places[$0] ?? -1 }
            return layer
        }
    }

    /// How the pictures lie.
    func sheets(of settings: CardPicturesStep.Settings) -> PictureSheets {
        PictureSheets(
            size: settings.size, columns: CardPicturesStep.sheetSide, rows: CardPicturesStep.sheetSide,
            count: images.count,
            sheets: sheets)
    }
}

struct CardPicturesStep: StepDefinition {
    /// What a deck of cards may take: at 56 pixels a picture has about a kilobyte.
    struct Settings: Sendable {
        /// Pictures of a card.
        var count = 8
        /// Different pictures of all cards together.
        var budget = 6000
        /// Pixels of a picture's sides, at most those of the model's images.
        var size: Int
        /// Largest effects that were kept of each neuron.
        var kept: Int
    }

    /// Pictures side by side, and lines of them.
    static let sheetSide = 16
    private static let quality = 72
    private static let largestSize = 56

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let fitted: Study.Fitted
    let settings: Settings

    static func settings(_ study: Study) -> Settings {
        var settings = Settings(
            size: min(largestSize, study.model.configuration.vision.imageSize), kept: study.spec.significantImages)
        settings.count = min(settings.count, settings.kept)
        return settings
    }

    func step() throws -> Step<CardPictures> {
        let runs = LargestLayers.parts(fitted.largest)
        return Step(
            kind: "card-pictures", version: 2,
            parameters: [
                "layers": .integers(layers), "pictures": .integer(settings.count), "budget": .integer(settings.budget),
                "size": .integer(settings.size),
            ],
            inputs: [images.images.erased, fitted.largest.erased, fitted.directions.erased],
            digests: ["model": model.digest],
            memory: model.memoryOfDirections(layers: layers, kept: settings.kept),
            work: try .map(
                units: layers.count, unitsPerShard: 1,
                makeWorker: { inputs in
                    let parts = try inputs.parts(runs).flatMap { $0 }
                    let directions = try inputs[fitted.directions]
                    return { shard in
                        let lens = try model.lens(layers[shard.units.lowerBound])
                        let largest = try LargestLayers(parts, layer: lens.layer, count: settings.count)
                        let projections = largest.effects.projections(
                            lens, onto: try directions.layer(lens.layer).directions.directions,
                            biasShares: largest.biasShares)
                        return CardPictures(layers: [
                            lens.layer: .init(pictures: largest.effects.images, projections: projections)
                        ])
                    }
                },
                reduce: { inputs, parts in
                    var largest: [Int: CardPictures.Layer] = [:]
                    try parts.forEach { _, part in largest.merge(part.layers) { first, _ in first } }
                    var result = CardPictures(largest, budget: settings.budget, count: settings.count)
                    result.sheets = try sheets(
                        of: result.images, from: ImageReader(try inputs[images.images]), check: inputs.checkCancellation
                    )
                    return result
                }))
    }

    private func sheets(
        of images: [Int32], from reader: ImageReader, check: () throws -> Void
    ) throws -> [Data] {
        let perSheet = Self.sheetSide * Self.sheetSide
        let smaller = ImagePreprocessing(
            SquareGeometry(size: settings.size, resize: .exact(width: settings.size, height: settings.size)))
        return try stride(from: 0, to: images.count, by: perSheet).map { start in
            try check()
            let pictured = images[start..<min(start + perSheet, images.count)]
            var sheet = RGBImage(
                width: Self.sheetSide * settings.size,
                height: (pictured.count + Self.sheetSide - 1) / Self.sheetSide * settings.size)
            for (place, image) in pictured.enumerated() {
                sheet.paste(
                    smaller(try reader.image(Int(image))), x: place % Self.sheetSide * settings.size,
                    y: place / Self.sheetSide * settings.size)
            }
            return try sheet.jpeg(quality: Self.quality, for: "pictures of the cards")
        }
    }
}
