import ArgumentParser
import Foundation
import Results

/// `runner why TABLE ROW COLUMN`: from a printed number to the run, the steps and the images behind it.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Lead from a number of a table to its run, its steps and its images.",
        discussion: """
            TABLE, ROW and COLUMN are the words over and beside the number, or a part of them that is found once, such as

                runner why "Figure 3" 0 "all neurons"
                runner why "Table 4 (%)" rollout "mIoU: measured"

            Of several runs the latest counts. The number is printed exactly, with its interval and how it was drawn, the \
            paper's value and its place, spec, commit and host, the cached artefact of every step, and the images: of an \
            accuracy the wrong answers first, of a mean the lowest values.
            """)

    @Argument(help: "Title of the table, or a part of it.")
    var table: String
    @Argument(help: "What stands before the row.")
    var row: String
    @Argument(help: "Header of the column; a group's name goes before it, with a colon.")
    var column: String
    @Option(help: ArgumentHelp("The results folder.", valueName: "DIR"))
    var results = "results"
    @Option(
        help: ArgumentHelp(
            "Only tables of this spec, by its file's name without extension: two specs may have tables of one title.",
            valueName: "NAME"))
    var spec: String?
    @Option(help: ArgumentHelp("How many images to list.", valueName: "N"))
    var images = 10

    func validate() throws {
        if images < 0 { throw ValidationError("--images has to be at least 0") }
    }

    func run() throws {
        try Console.print(ResultsReader(in: URL(fileURLWithPath: results, isDirectory: true)).read(text))
    }

    private func text(_ database: ResultsDatabase) throws -> String {
        let runs = try database.latestRuns().filter { spec == nil || ComparedRun.name(of: $0).spec == spec }
        let layouts = try runs.map { (run: $0, layouts: try database.layouts(of: $0)) }
        let all = layouts.flatMap(\.layouts)
        guard !all.isEmpty else {
            throw Failure(
                .inputMissing, "\(results): no run\(spec.map { " of \($0)" } ?? "") has kept its tables",
                fix: "run the experiments there once more; nothing is computed again")
        }
        let place = try NumberPlace(table: table, row: row, column: column, among: all)
        for (run, layouts) in layouts where layouts.contains(place.layout) {
            guard let trace = try NumberTrace(place, in: run, of: database) else { continue }
            return trace.text(images: images)
        }
        throw Failure(
            .badData,
            "\(place.row.header) · \(NumberPlace.name(place.column)): there are words in this cell, or nothing",
            fix: "name a column of numbers")
    }
}
