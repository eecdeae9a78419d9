import Foundation
import Foundations
import Pipeline

/// The rows of the database as CSV files.
///
/// Equal rows give equal bytes. Columns of the subjects stand where the subject does, under their
/// names, in the order in which they first occur; a row without a column leaves it empty.
public enum CSVExport {
    /// Writes metrics in their order.
    /// - Throws: `OutputError`; then a former file is still as it was.
    public static func write(_ metrics: [Metric], to folder: OutputFolder, as name: String) throws {
        let subjectColumns = columns(of: metrics.map(\.subject))
        let shown = MetricColumn.all.filter { !$0.header.isEmpty }
        var writer = CSVWriter(
            header: shown.flatMap { $0.name == MetricColumn.subject ? subjectColumns : [$0.header] })
        for metric in metrics {
            writer.add(
                shown.flatMap { column in
                    column.name == MetricColumn.subject
                        ? subjectColumns.map { Field.text(metric.subject[$0]) } : [column.value(metric)]
                })
        }
        try folder.write(writer.data, as: name)
    }

    /// Writes predictions: the sets in their order, images by their names.
    /// - Throws: `OutputError`; then a former file is still as it was.
    public static func write(_ predictions: [PredictionSet], to folder: OutputFolder, as name: String) throws {
        let conditionColumns = columns(of: predictions.map(\.condition))
        var writer = CSVWriter(
            header: ["experiment"] + conditionColumns + ["image", "label", "prediction", "margin"])
        var order: [Int] = []
        for set in predictions {
            let rows = set.predictions
            // Most sets have the same images in the same order.
            if order.count != rows.count
                || !zip(order, order.dropFirst()).allSatisfy({ rows[$0].imageID < rows[$1].imageID })
            {
                order = rows.indices.sorted { rows[$0].imageID < rows[$1].imageID }
            }
            let condition = CSVWriter.beginning(
                [.text(set.experiment)] + conditionColumns.map { .text(set.condition[$0]) })
            for index in order {
                let row = rows[index]
                writer.add(
                    [.text(row.imageID), .text(row.label), .text(row.prediction), .number(row.margin)], after: condition
                )
            }
        }
        try folder.write(writer.data, as: name)
    }

    /// Writes the file of an attachment.
    /// - Throws: `OutputError`; then a former file is still as it was.
    public static func write(_ attachment: Attachment, to folder: OutputFolder, as name: String) throws
        -> StoredAttachment
    {
        let bytes = bytes(attachment)
        try folder.write(bytes, as: name)
        return StoredAttachment(name: attachment.name, file: name, sha256: Digest.sha256(of: bytes))
    }

    private static func bytes(_ attachment: Attachment) -> Data {
        switch attachment.content {
        case .bytes(let data): return data
        case .list(let header, let rows):
            var writer = CSVWriter(header: header)
            for row in rows {
                writer.add(
                    row.map { field in
                        switch field {
                        case .text(let text): .text(text)
                        case .integer(let value): .integer(value)
                        case .number(let value): .number(value)
                        }
                    })
            }
            return writer.data
        }
    }

    private static func columns(of subjects: [Subject]) -> [String] {
        var seen: Set<String> = []
        return subjects.flatMap(\.columns).map(\.name).filter { seen.insert($0).inserted }
    }
}

/// Writes RFC 4180: fields quoted where needed, lines ended by CR LF.
///
/// A text that a spreadsheet would run as a formula gets an apostrophe before it, which
/// spreadsheets do not show. Numbers are written with the fewest digits that read back the same;
/// a number that is missing is an empty field, and there is never a NaN.
struct CSVWriter {
    private var written = Data()
    /// The latest rows: bytes are quickly added to few.
    private var bytes: [UInt8] = []

    init(header: [String]) {
        add(header.map { .text($0) })
    }

    var data: Data {
        mutating get {
            flush()
            return written
        }
    }

    private mutating func flush() {
        written.append(contentsOf: bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// - Parameter beginning: of the row, from ``beginning(_:)``.
    mutating func add(_ row: [Field], after beginning: [UInt8] = []) {
        bytes.append(contentsOf: beginning)
        add(fields: row)
        bytes.append(contentsOf: "\r\n".utf8)
        if bytes.count > 1 << 16 { flush() }
    }

    /// The bytes of fields that many rows begin with.
    static func beginning(_ fields: [Field]) -> [UInt8] {
        var writer = CSVWriter(header: [])
        writer.bytes = []
        writer.add(fields: fields)
        return writer.bytes + [UInt8(ascii: ",")]
    }

    private mutating func add(fields: [Field]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            switch field {
            case .text(let text): add(text ?? "")
            case .integer(let number): if let number { bytes.append(contentsOf: String(number).utf8) }
            case .number(let number):
                if let number, number.isFinite { bytes.append(contentsOf: number.description.utf8) }
            case .flag(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
            }
        }
    }

    /// By bytes: a quote before a combining mark is no quote to Swift, but one to whoever reads the file.
    private mutating func add(_ text: String) {
        let (space, quote) = (UInt8(ascii: " "), UInt8(ascii: "\""))
        var text = text.visible
        text.withUTF8 { text in
            // Some programs trim spaces before they look for a formula.
            let isFormula = text.first { $0 != space }.map(Self.beginsFormula) ?? false
            let isQuoted =
                text.contains(where: Self.isSpecial) || text.last == space || (text.first == space && !isFormula)
            if isQuoted { bytes.append(quote) }
            if isFormula { bytes.append(UInt8(ascii: "'")) }
            if isQuoted {
                for byte in text {
                    if byte == quote { bytes.append(quote) }
                    bytes.append(byte)
                }
                bytes.append(quote)
            } else {
                bytes.append(contentsOf: text)
            }
        }
    }

    private static func beginsFormula(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 9, 10, 13: true
        default: false
        }
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "\""), 10, 13: true
        default: false
        }
    }
}
