import ArgumentParser
import Attribution
import Experiments
import Foundation
import Inputs

/// `runner export WHAT …`: what a notebook wants, as safetensors.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write embeddings, effects, attention or heat maps as safetensors, for a notebook.",
        discussion: """
            Any model that opens, any folder or archive of pictures, no spec. In the file's __metadata__, 'clip-lens' \
            is a JSON document with axes, unit and equation of every tensor, the model with its digests, the pictures \
            with theirs, and what was left out. Tensors are float32 and row-major:

            images: embeddings [images, d], norms [images]
            texts: embeddings [texts, d], norms [texts], token-ids [texts, tokens]
            second-order: effects [images, neurons, d], head-coordinates [images, neurons, heads], head-directions \
            [neurons, heads, d], bias-shares [images, d], representations [images, d], mean-effects [neurons, d], norms \
            [images, neurons], principal-directions [neurons, d], second-moment-shares [neurons], thresholds [neurons]
            attention: attention [images, layers, heads, tokens]
            maps: maps [images, texts, rows, columns]

            The help of each says more; docs/export.md has an example in Python.
            """,
        subcommands: [Images.self, Texts.self, SecondOrder.self, Attention.self, Maps.self])

    struct Images: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Embeddings of pictures.",
            discussion: """
                embeddings [images, d], of length 1
                norms [images], the lengths before: embeddings × norms is what the model computes
                """)

        @OptionGroup var options: ExportOptions
        @OptionGroup var pictures: PictureOptions

        func run() throws {
            try options.run(pictures: pictures.images) { try Export(.embeddings, of: pictures.selection, $0) }
        }
    }

    struct Texts: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Embeddings of texts.",
            discussion: """
                embeddings [texts, d], of length 1
                norms [texts], the lengths before
                token-ids [texts, tokens], int32, −1 after the end
                """)

        @OptionGroup var options: ExportOptions
        @OptionGroup var texts: TextOptions

        func run() throws { try options.run(reading: [texts.texts]) { try Export(texts: texts.all(), $0) } }
    }

    struct SecondOrder: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "second-order",
            abstract: "Second-order effects of the neurons of a layer, and what they are made of.",
            discussion: """
                Images are scaled to length 100, as in arXiv 2406.04341; effects are not centred. K heads of later layers \
                read the neurons: effects = Σ_k head-coordinates · head-directions + bias-shares.

                effects [images, neurons, d], φ of equation (1); not with --no-effects
                head-coordinates [images, neurons, heads], s
                head-directions [neurons, heads, d], M
                bias-shares [images, d], b
                representations [images, d], c·r

                Fitted to these pictures themselves; not with --no-fit:

                mean-effects [neurons, d]
                norms [images, neurons], of effects minus their means
                principal-directions [neurons, d], of the --significant images with the largest norms
                second-moment-shares [neurons], of those images' effects along the direction
                thresholds [neurons], the smallest norm among those images
                """)

        @OptionGroup var options: ExportOptions
        @OptionGroup var pictures: PictureOptions
        @Option(help: ArgumentHelp("From 0; the last has no second-order effects.", valueName: "L"))
        var layer: Int
        @Option(
            help: ArgumentHelp("From 0: 0...63, 3,5,9 or, in quotes, '0..<64'.", valueName: "N"),
            transform: IndexSelection.parse)
        var neurons: IndexSelection
        @Flag(inversion: .prefixedNo, help: "Write the effects, the largest tensor, which follows from the others.")
        var effects = true
        @Flag(inversion: .prefixedNo, help: "Fit means, norms and principal directions to these pictures.")
        var fit = true
        @Option(
            help: ArgumentHelp(
                "Images with the largest effects that a neuron's principal direction is fitted to.", valueName: "C"))
        var significant = SecondOrderExport.significantImages

        func validate() throws {
            guard (1...10_000).contains(significant) else {
                throw ValidationError("--significant has to be from 1 to 10000")
            }
        }

        func run() throws {
            let export = SecondOrderExport(
                layer: layer, neurons: neurons, includesEffects: effects, includesFit: fit,
                significantImages: significant)
            try options.run(pictures: pictures.images) { try Export(.secondOrder(export), of: pictures.selection, $0) }
        }
    }

    struct Attention: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What the class token attends to, in every head.",
            discussion: """
                attention [images, layers, heads, tokens], after the softmax; token 0 is the class token, then the \
                patches row by row
                """)

        @OptionGroup var options: ExportOptions
        @OptionGroup var pictures: PictureOptions

        func run() throws {
            try options.run(pictures: pictures.images) { try Export(.attention, of: pictures.selection, $0) }
        }
    }

    struct Maps: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Heat maps of pictures and texts.",
            discussion: """
                maps [images, texts, rows, columns], over the patches, for lrp over the pixels; neither scaled nor \
                clipped. rollout and raw-attention use no texts: that axis then has one index. textspan compares a text \
                with the mean of all, so there have to be two at least. second-order takes the neurons whose principal \
                directions, fitted to these pictures, are most aligned with the text.
                """)

        @OptionGroup var options: ExportOptions
        @OptionGroup var pictures: PictureOptions
        @OptionGroup var texts: TextOptions
        @Option(help: ArgumentHelp(AttributionMethod.names, valueName: "NAME"))
        var method: AttributionMethod
        @Option(
            help: ArgumentHelp("A file of texts without maps that count in the mean of textspan.", valueName: "FILE"))
        var contrast: String?
        @Option(
            help: ArgumentHelp(
                "Layers of the neurons of second-order maps; by default the last three that have effects.",
                valueName: "L"), transform: IndexSelection.parse)
        var layers: IndexSelection?
        @Option(help: ArgumentHelp("Neurons of a second-order map.", valueName: "N"))
        var neuronsPerText = MapExport.neuronsPerText

        func validate() throws {
            guard (1...1_000_000).contains(neuronsPerText) else {
                throw ValidationError("--neurons-per-text has to be from 1 to 1000000")
            }
        }

        func run() throws {
            try options.run(reading: [texts.texts, contrast], pictures: pictures.images) { settings in
                let contrastTexts = try contrast.map { try PromptSet.texts(URL(fileURLWithPath: $0)) } ?? []
                let maps = MapExport(
                    method: method, texts: try texts.all(), contrastTexts: contrastTexts, layers: layers,
                    neuronsPerText: neuronsPerText)
                return try Export(.maps(maps), of: pictures.selection, settings)
            }
        }
    }
}

extension AttributionMethod: ExpressibleByArgument {
    public init?(argument: String) {
        guard let method = AttributionMethod.named(argument) else { return nil }
        self = method
    }

    public static var allValueStrings: [String] { all.map(\.name) }
    public var defaultValueDescription: String { name }

    /// For the help.
    fileprivate static var names: String { allValueStrings.joined(separator: ", ") }
}
