extension StoredCheck {
    /// A digest of the stored rows of a run, so that bytes that change on the disk are not believed: SQLite itself
    /// notices only what breaks the form of its pages.
    ///
    /// It is taken of the rows as the database has them, not of what was to be stored. A database of an earlier
    /// version has none for its runs, and they are taken as they are.
    static let rows = StoredCheck(
        table: "rows_check",
        queries: [
            ("metric", "SELECT * FROM metric WHERE run = ? ORDER BY id"),
            ("prediction_set", "SELECT * FROM prediction_set WHERE run = ? ORDER BY id"),
            (
                "prediction",
                """
                SELECT prediction.* FROM prediction_set JOIN prediction ON prediction_set = prediction_set.id
                WHERE run = ? ORDER BY prediction_set, image
                """
            ),
            (
                "term",
                """
                SELECT term.metric, image.name, part, numerator, denominator
                FROM metric JOIN term ON term.metric = metric.id JOIN image ON image.id = term.image
                WHERE metric.run = ? ORDER BY term.metric, term.image, part
                """
            ),
            ("table_layout", "SELECT * FROM table_layout WHERE run = ? ORDER BY position"),
            ("attachment", "SELECT * FROM attachment WHERE run = ? ORDER BY name"),
        ])
}
