extension StoredCheck {
    /// A digest of the stored rows of a run, so that bytes that change on the disk are not believed: SQLite itself
    /// notices only what breaks the form of its pages.
    ///
    /// It is taken of the rows as the database has them, not of what was to be stored. A database of an earlier
    /// version has none for its runs, and they are taken as they are.
    static let rows = StoredCheck(
        table: "rows_check",
        parts: [
            Part(
                table: "metric",
                query: """
                    SELECT id, run, experiment, world, model, dataset, subject, name, higher_is_better, value, status, unit, n, skipped,
                      ci_lower, ci_upper, ci_level, ci_method, ci_replicates, ci_seed, ci_unit, paper_value, paper_source,
                      paper_half_unit, comparable, partial, verdict, note
                    FROM metric WHERE run = ? ORDER BY id
                    """),
            Part(
                table: "prediction_set",
                query: "SELECT id, run, experiment, condition FROM prediction_set WHERE run = ? ORDER BY id"),
            Part(
                table: "prediction",
                query: """
                    SELECT prediction_set, image, label, prediction, margin
                    FROM prediction_set JOIN prediction ON prediction_set = prediction_set.id
                    WHERE run = ? ORDER BY prediction_set, image
                    """),
            Part(
                table: "term",
                query: """
                    SELECT term.metric, image.name, part, numerator, denominator
                    FROM metric JOIN term ON term.metric = metric.id JOIN image ON image.id = term.image
                    WHERE metric.run = ? ORDER BY term.metric, term.image, part
                    """),
            Part(
                table: "table_layout",
                query: "SELECT run, position, layout FROM table_layout WHERE run = ? ORDER BY position"),
            Part(
                table: "attachment", query: "SELECT run, name, file, sha256 FROM attachment WHERE run = ? ORDER BY name"
            ),
        ] + MetricColumn.all.filter { $0.since > 1 }.map(Part.init(added:)))
}

extension StoredCheck.Part {
    /// - Parameter column: of a later version than the table `metric`.
    fileprivate init(added column: MetricColumn) {
        self.init(
            table: "metric", query: "SELECT id, \(column.name) FROM metric WHERE run = ? ORDER BY id",
            since: column.since)
    }
}
