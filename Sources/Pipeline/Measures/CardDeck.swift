import Foundation

/// Cards that people look through and search by word, such as one for each neuron: pictures, numbers, signed words.
public struct CardDeck: Sendable, Hashable, Codable {
    public struct Measure: Sendable, Hashable, Codable {
        public var title: String
        /// Shares, which people read as per cent.
        public var isShare: Bool

        public init(_ title: String, isShare: Bool) {
            self.title = title
            self.isShare = isShare
        }
    }

    /// A pool that words come from.
    public struct Pool: Sendable, Hashable, Codable {
        public var title: String
        public var words: [String]
        /// What is measured of each card's words.
        public var measures: [Measure]

        public init(title: String, words: [String], measures: [Measure]) {
            self.title = title
            self.words = words
            self.measures = measures
        }
    }

    /// What is said of a card in the words of one pool.
    public struct Text: Sendable, Hashable, Codable {
        /// Indices into the pool's words, the heaviest first.
        public var words: [Int]
        /// With their signs. // [words]
        public var weights: [Double]
        /// nil where there is no number. // [measures of the pool]
        public var values: [Double?]

        public init(words: [Int], weights: [Double], values: [Double?]) {
            self.words = words
            self.weights = weights
            self.values = values
        }
    }

    public struct Card: Sendable, Hashable, Codable {
        /// Index of its group.
        public var group: Int
        public var name: String
        /// Indices of its pictures, the most telling first, and how much each speaks for it (or, below 0, against).
        public var pictures: [Int]
        public var strengths: [Double]
        /// // [measures]
        public var values: [Double?]
        /// // [pools]
        public var texts: [Text]

        public init(
            group: Int, name: String, pictures: [Int], strengths: [Double], values: [Double?], texts: [Text]
        ) {
            self.group = group
            self.name = name
            self.pictures = pictures
            self.strengths = strengths
            self.values = values
            self.texts = texts
        }
    }

    public struct Picture: Sendable, Hashable, Codable {
        public var name: String
        public var caption: String

        public init(name: String, caption: String) {
            self.name = name
            self.caption = caption
        }
    }

    public var title: String
    public var notes: [String]
    /// What cards are grouped by, such as `layer`, and the groups.
    public var grouping: String
    public var groups: [String]
    public var measures: [Measure]
    public var pools: [Pool]
    public var cards: [Card]
    public var pictures: [Picture]
    public var sheets: PictureSheets

    public init(
        title: String, notes: [String], grouping: String, groups: [String], measures: [Measure], pools: [Pool],
        cards: [Card], pictures: [Picture], sheets: PictureSheets
    ) {
        self.title = title
        self.notes = notes
        self.grouping = grouping
        self.groups = groups
        self.measures = measures
        self.pools = pools
        self.cards = cards
        self.pictures = pictures
        self.sheets = sheets
    }

    /// How files with one end.
    public static let fileSuffix = "cards.json"

    /// Whether every index points at something and every list is as long as what it goes with: a file may say anything.
    public var isConsistent: Bool {
        sheets.count == pictures.count && sheets.isConsistent
            && cards.allSatisfy { card in
                groups.indices.contains(card.group) && card.pictures.allSatisfy(pictures.indices.contains)
                    && card.strengths.count == card.pictures.count && card.values.count == measures.count
                    && card.texts.count == pools.count
                    && zip(card.texts, pools).allSatisfy { text, pool in
                        text.words.allSatisfy(pool.words.indices.contains) && text.weights.count == text.words.count
                            && text.values.count == pool.measures.count
                    }
            }
    }
}

/// Many small pictures of one size, side by side in JPEG files: a file of its own for each would be mostly headers.
public struct PictureSheets: Sendable, Hashable, Codable {
    /// Pixels of a picture's sides.
    public var size: Int
    /// Pictures in a row of a sheet, and rows of a sheet; the last one has as many as it needs.
    public var columns: Int
    public var rows: Int
    public var count: Int
    /// JPEG files.
    public var sheets: [Data]

    public init(size: Int, columns: Int, rows: Int, count: Int, sheets: [Data]) {
        self.size = size
        self.columns = columns
        self.rows = rows
        self.count = count
        self.sheets = sheets
    }

    var isConsistent: Bool {
        let side = 1...4096
        return side.contains(size) && side.contains(columns) && side.contains(rows) && count >= 0
            && sheets.count == (count + columns * rows - 1) / (columns * rows)
    }
}
