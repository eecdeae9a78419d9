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
