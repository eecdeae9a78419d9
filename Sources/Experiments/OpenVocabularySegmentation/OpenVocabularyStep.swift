import Attribution
import Pipeline

/// Gives every pixel a label by every case, and compares it with the masks.
struct OpenVocabularyStep: ImageStep {
    typealias Output = OpenVocabularyScores
    static let (kind, version) = ("open-vocabulary-segmentation", 2)
    let imagesPerShard = 50

    let study: PictureStudy
    /// Blocks of surgery.
    let depth: Int
    let classifier: StepHandle<StoredClassifier>

    private var cases: [OpenVocabularyCase] { OpenVocabularyCase.all(depth: depth) }
    var model: StudyModel { study.model }
    var images: ImageSource { study.images }
    var parameters: Parameters {
        [
            "cases": .texts(cases.map { "\($0.reading.key), \($0.choice.rawValue)" }),
            "input-size": .integer(study.inputSize), "images": .integer(images.count),
        ]
    }
    var inputs: [AnyStepHandle] { [images.facts.erased, classifier.erased] }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: study.inputSize) }
    var cost: CostEstimate? { model.surgeryCost(inputSize: study.inputSize, paths: Double(cases.count)) }
    var none: OpenVocabularyScores { OpenVocabularyScores(cases: cases.count) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<OpenVocabularyScores> {
        let (facts, cases) = (try inputs[self.images.facts], cases)
        let reader = TokenReader(
            try model.clip.value().vision.resized(to: study.inputSize), OpenVocabularyCase.readings(depth: depth),
            classifier: try inputs[classifier].weights)
        return images.each { scores, image in
            let tokens = try reader.run(images.reader, image, of: images.set)
            scores.appendImage(predicted: tokens.answer.label, margin: tokens.answer.margin)
            let mask = try images.reader.mask(image)
            let shown = ShownLabels.of(facts[image], mask: mask)
            let truth = ShownLabels.labels(facts[image], mask: mask)
            for item in cases {
                switch item.choice {
                case .all where !shown.isEmpty:
                    scores.append(found: try tokens.labels(item.reading, among: nil), shown: truth)
                case .shown where shown.count > 1:
                    scores.append(found: try tokens.labels(item.reading, among: shown), shown: truth)
                default: scores.appendNothing()
                }
            }
        }
    }
}

/// A column of numbers of open-vocabulary segmentation: how labels are read, and among which each pixel chooses.
struct OpenVocabularyCase: Sendable, Hashable {
    enum Choice: String, CaseIterable, Sendable {
        /// The whole vocabulary.
        case all
        /// The labels that the image shows, on images that show several.
        case shown
    }

    let reading: TokenReading
    let choice: Choice

    static func all(depth: Int) -> [OpenVocabularyCase] {
        readings(depth: depth).flatMap { reading in Choice.allCases.map { .init(reading: reading, choice: $0) } }
    }

    /// Feature surgery is for maps of one label; the paper segments by the similarities themselves.
    static func readings(depth: Int) -> [TokenReading] {
        [.clip, .architectureSurgery(depth: depth)] + TokenReading.variants(depth: depth)
    }
}

/// Pixels by label, of every image and case; a pixel counts where a mask says which of the labels it shows.
struct OpenVocabularyScores: ColumnTable {
    /// What one label got in one image.
    struct Entry: Sendable, Hashable {
        var label: Int32
        /// Pixels that show it and were given it.
        var hit: Int32
        /// Pixels that were given it.
        var found: Int32
        /// Pixels that show it.
        var shown: Int32
    }

    private(set) var cases = 0
    /// The model's own answer. // [images]
    private(set) var predicted: [Int32] = []
    /// By how much cosine it leads. // [images]
    private(set) var margins: [Float] = []
    /// Entries of each image and case. // [images, cases]
    private(set) var counts: [Int32] = []
    /// Label, hit, found and shown of each entry. // [entries, 4]
    private var numbers: [Int32] = []

    static let columns: [Column<Self>] = [
        .shared("cases", \.cases), .rows("predicted", \.predicted), .rows("margins", \.margins),
        .rows("counts", \.counts) { [$0.cases] }, .rows("entries", \.numbers, of: "entries") { _ in [4] },
    ]

    var images: Int { predicted.count }
    /// One image's after the other, and of each image one case's after the other.
    var entries: [Entry] {
        stride(from: 0, to: numbers.count, by: 4).map {
            Entry(label: numbers[$0], hit: numbers[$0 + 1], found: numbers[$0 + 2], shown: numbers[$0 + 3])
        }
    }

    init() {}
    init(cases: Int) { self.cases = cases }

    func check() throws { try PairCounts.check(counts, pairs: numbers.count / 4) }

    mutating func appendImage(predicted label: Int, margin: Float) {
        predicted.append(Int32(label))
        margins.append(margin)
    }

    /// The next case of the image that was added last.
    /// - Parameters:
    ///   - found: the label given to each pixel.
    ///   - shown: the label that it shows, −1 where it does not count.
    mutating func append(found: [Int32], shown: [Int32]) {
        var byLabel: [Int32: Entry] = [:]
        for (found, shown) in zip(found, shown) where shown >= 0 {
            byLabel[found, default: Entry(label: found, hit: 0, found: 0, shown: 0)].found += 1
            byLabel[shown, default: Entry(label: shown, hit: 0, found: 0, shown: 0)].shown += 1
            if found == shown { byLabel[found]?.hit += 1 }
        }
        let sorted = byLabel.values.sorted { $0.label < $1.label }
        counts.append(Int32(sorted.count))
        numbers += sorted.flatMap { [$0.label, $0.hit, $0.found, $0.shown] }
    }

    /// A case that the image has no part in.
    mutating func appendNothing() { counts.append(0) }

    // MARK: Reading

    /// Each image's entries of a case; images without any are left out.
    func entries(of item: Int) -> [ArraySlice<Entry>] { entriesOrNothing(of: item).filter { !$0.isEmpty } }

    /// Each image's entries of a case. // [images]
    func entriesOrNothing(of item: Int) -> [ArraySlice<Entry>] {
        let entries = entries
        var (start, slices) = (0, [ArraySlice<Entry>]())
        for (index, count) in counts.enumerated() {
            if index % cases == item { slices.append(entries[start..<start + Int(count)]) }
            start += Int(count)
        }
        return slices
    }
}

/// The ratios of pixels of several images.
struct LabelOverlap {
    /// Mean over the labels that the images show of intersection over union, the pixels of all images together.
    let meanIntersectionOverUnion: Double
    /// Pixels that were given the label that they show.
    let pixelAccuracy: Double
    /// Labels that the images show.
    let labels: Int

    /// - Parameters:
    ///   - images: the entries of each.
    ///   - vocabulary: number of labels.
    init(_ images: [ArraySlice<OpenVocabularyScores.Entry>], vocabulary: Int) {
        var sums = [SIMD3<Int>](repeating: .zero, count: vocabulary)
        for entry in images.joined() {
            sums[Int(entry.label)] &+= SIMD3(Int(entry.hit), Int(entry.found), Int(entry.shown))
        }
        var (total, labels, hit, shown) = (0.0, 0, 0, 0)
        for sum in sums where sum[2] > 0 {
            total += Double(sum[0]) / Double(sum[1] + sum[2] - sum[0])
            labels += 1
            hit += sum[0]
            shown += sum[2]
        }
        meanIntersectionOverUnion = total / Double(labels)
        pixelAccuracy = Double(hit) / Double(shown)
        self.labels = labels
    }
}
