extension StoredCheck {
    /// A digest of what is stored of a run itself, with its steps: by which commit, of which spec, when and where, how it
    /// ended, and the rows of which run are its own.
    ///
    /// It is taken when a run ends. One that never ended has none, nor have runs of programs that did not take it; they are
    /// taken as they are.
    static let run = StoredCheck(
        table: "run_check",
        parts: [
            Part(
                table: "run",
                query: """
                    SELECT id, experiment, spec_path, spec_digest, commit_id, dirty, host, cpu, cores, blas_core, blas_threads, versions,
                      boot_id, pid, pid_start, started_at, ended_at, seconds, state, message, partial, rows_digest, rows_run
                    FROM run WHERE id = ?
                    """),
            Part(
                table: "step",
                query: "SELECT position, kind, label, key, status, seconds FROM step WHERE run = ? ORDER BY position"),
        ])
}
