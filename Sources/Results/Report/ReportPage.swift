import Foundation
import Pipeline

/// Builds the page of a report, section by section.
struct ReportPage {
    private let gnuplot: Gnuplot?
    private(set) var provenance = Provenance()
    private(set) var decks: [DeckOfPage] = []
    private var figures = 0
    /// Bytes of pictures that may still be taken in as they are.
    private var room: Int

    /// - Parameter room: for pictures that are taken in as they are, in bytes.
    init(gnuplot: Gnuplot?, room: Int) { (self.gnuplot, self.room) = (gnuplot, room) }

    // MARK: Experiments

    mutating func section(_ reported: ReportedRun, id: String) -> HTML {
        let run = provenance.add(reported)
        let metrics = MetricLookup(reported.metrics)
        var parts: [HTML] = [
            "<section class=\"experiment\" id=\"\(id)\">\n<h2>\(reported.name.description)\(Self.badges(reported))</h2>\n",
            Self.introduction(reported), Self.standing(reported),
        ]
        parts.append(figures(reported, metrics))
        for layout in reported.layouts { parts.append(table(layout, metrics, run: run)) }
        if reported.layouts.isEmpty {
            parts.append(
                "<p class=\"missing\">The tables of this run are not in the database: the program that made it did not keep them. Run <code>runner --spec \(reported.run.specPath)</code> once more. Its \(reported.metrics.count) numbers are in the CSV file.</p>\n"
            )
        }
        parts.append(pictures(reported))
        parts.append(Self.origin(reported))
        return "\(parts)</section>\n"
    }

    /// What the spec says of itself: the comment at its head.
    private static func introduction(_ reported: ReportedRun) -> HTML {
        let words = reported.run.specText.split(separator: "\n", omittingEmptySubsequences: false).prefix {
            $0.hasPrefix("#")
        }
        .map { $0.drop { $0 == "#" || $0 == " " } }.joined(separator: " ")
        return words.isEmpty ? "" : "<p class=\"lead\">\(words)</p>\n"
    }

    /// Everything that keeps a reader from taking the numbers as they stand.
    static func badges(_ reported: ReportedRun) -> HTML {
        var badges: [HTML] = []
        if reported.run.state == .ended(.untrusted) { badges.append(" <span class=\"badge bad\">do not trust</span>") }
        if reported.run.isPartial { badges.append(" <span class=\"badge warn\">partial</span>") }
        return "\(badges)"
    }

    private static func standing(_ reported: ReportedRun) -> HTML {
        var lines: [HTML] = []
        if reported.run.state == .ended(.untrusted) {
            lines.append(
                "<p class=\"note bad\"><strong>Do not trust these numbers:</strong> a control failed: \(reported.run.message ?? "no reason kept").</p>\n"
            )
        }
        if reported.run.isPartial {
            lines.append(
                "<p class=\"note warn\"><strong>Partial:</strong> measured on a part of the data; not to be compared with a paper.</p>\n"
            )
        }
        if let later = reported.later {
            lines.append(
                "<p class=\"note warn\">A later run (\(Int(later.id)), \(ReportWords.time(later.startedAt))) gave no numbers: \(ReportWords.state(later.state))\(later.message.map { ": \($0)" } ?? "").</p>\n"
            )
        }
        return "\(lines)"
    }

    // MARK: Figures

    private mutating func figures(_ reported: ReportedRun, _ metrics: MetricLookup) -> HTML {
        guard let file = reported.attachments.first(where: { $0.name == Attachment.figures }) else { return "" }
        guard case .intact(let data) = file.content,
            let layouts = try? JSONDecoder().decode([FigureLayout].self, from: data)
        else {
            return Self.unbelievable(file)
        }
        var drawn: [HTML] = []
        for layout in layouts {
            let plot = FigurePlot(layout, metrics: metrics)
            guard !plot.isEmpty else { continue }
            figures += 1
            let picture: HTML =
                if let gnuplot {
                    plot.svg(gnuplot, number: figures) ?? "<p class=\"missing\">gnuplot could not draw this figure.</p>"
                } else {
                    "<p class=\"missing\">Not drawn: gnuplot is not installed (Debian: gnuplot-nox). The numbers are in the tables.</p>"
                }
            drawn.append(
                "<figure class=\"plot\"><figcaption>\(layout.title)</figcaption><div class=\"scroll\">\(picture)</div>\(plot.legend)\(layout.note.isEmpty ? nil : "<p class=\"foot\">\(layout.note)</p>" as HTML)</figure>\n"
            )
        }
        return drawn.isEmpty ? "" : "<div class=\"plots\">\n\(drawn)</div>\n"
    }

    // MARK: Tables

    private mutating func table(_ layout: TableLayout, _ metrics: MetricLookup, run: Int) -> HTML {
        let hasGroups = layout.columns.contains { $0.group != nil }
        var head: [HTML] = []
        if hasGroups {
            var groups: [(name: String?, count: Int)] = []
            for column in layout.columns {
                if let last = groups.last, column.group != nil, last.name == column.group {
                    groups[groups.count - 1].count += 1
                } else {
                    groups.append((column.group, 1))
                }
            }
            head.append(
                "<tr><td></td>\(groups.map { group -> HTML in group.name.map { "<th colspan=\"\(group.count)\" scope=\"colgroup\" class=\"group\">\($0)</th>" } ?? "<td></td>" })</tr>\n"
            )
        }
        head.append(
            "<tr><th scope=\"col\">\(layout.rowHeader)</th>\(layout.columns.map { column -> HTML in "<th scope=\"col\"\(column.isText ? "" : " class=\"right\"" as HTML)>\(column.header)</th>" })</tr>\n"
        )
        var rows: [HTML] = []
        for row in layout.rows {
            var cells: [HTML] = []
            for (index, column) in layout.columns.enumerated() {
                let style: HTML = column.isText ? "" : " class=\"right\""
                let content: HTML = index < row.cells.count ? cell(row.cells[index], metrics, run: run) : ""
                cells.append("<td\(style)>\(content)</td>")
            }
            rows.append("<tr><th scope=\"row\">\(row.header)</th>\(cells)</tr>\n")
        }
        return """
            <figure class="table"><figcaption>\(layout.title)</figcaption>
            <div class="scroll" tabindex="0" role="region" aria-label="\(layout.title)"><table class="numbers">
            <thead>\(head)</thead><tbody>
            \(rows)</tbody></table></div>
            \(layout.footnotes.map { "<p class=\"foot\">\($0)</p>\n" as HTML })</figure>

            """
    }

    private mutating func cell(_ cell: TableLayout.Cell, _ metrics: MetricLookup, run: Int) -> HTML {
        switch cell {
        case .text(let words): return "\(words)"
        case .metric(let name, let subject, let part):
            guard let metric = metrics[name, subject] else { return "–" }
            let text = MetricTable.text(metric, part)
            guard text != "–" else { return "–" }
            // The value is read first, the interval after it.
            let pieces = text.split(separator: " ", maxSplits: 1).map(String.init)
            let shown: HTML = pieces.count == 2 ? "\(pieces[0]) <small>\(pieces[1])</small>" : "\(text)"
            return "<button type=\"button\" data-n=\"\(provenance.add(metric, run: run))\">\(shown)</button>"
        }
    }

    // MARK: Pictures

    private mutating func pictures(_ reported: ReportedRun) -> HTML {
        var parts: [HTML] = []
        let tables = Set(reported.attachments.map(\.name).filter { $0.hasSuffix(PictureTable.fileSuffix) })
        for file in reported.attachments where file.name != Attachment.figures {
            guard case .intact(let data) = file.content else {
                parts.append(Self.unbelievable(file))
                continue
            }
            if file.name.hasSuffix(PictureTable.fileSuffix) {
                guard let table = try? JSONDecoder().decode(PictureTable.self, from: data) else {
                    parts.append(Self.unbelievable(file))
                    continue
                }
                parts.append(Self.pictures(table))
            } else if file.name.hasSuffix(CardDeck.fileSuffix) {
                guard let deck = try? JSONDecoder().decode(CardDeck.self, from: data), deck.isConsistent else {
                    parts.append(Self.unbelievable(file))
                    continue
                }
                decks.append(DeckOfPage(deck))
                parts.append(decks[decks.count - 1].section(decks.count - 1))
            } else if file.name.hasSuffix(".png") {
                // Where the same pictures came one by one, the drawing of them all is not needed.
                let stem = file.name.dropLast(4)
                guard !tables.contains("\(stem)-\(PictureTable.fileSuffix)") else { continue }
                parts.append(asItIs(file, data))
            }
        }
        return "\(parts)"
    }

    private mutating func asItIs(_ file: AttachedFile, _ data: Data) -> HTML {
        guard data.count <= room else {
            return
                "<p class=\"missing\">\(file.file) is beside the database; with it this page would be too large to send.</p>\n"
        }
        room -= data.count
        return
            "<figure class=\"shots\"><div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"\(file.name)\"><img alt=\"\(file.name)\" src=\"data:image/png;base64,\(data.base64EncodedString())\"></div></figure>\n"
    }

    private static func pictures(_ table: PictureTable) -> HTML {
        func cell(_ cell: PictureTable.Cell) -> HTML {
            let captions = cell.captions.map { "<span class=\"caption\">\($0)</span>" as HTML }
            guard let jpeg = cell.jpeg else { return "<td><span class=\"absent\">no picture</span>\(captions)</td>" }
            return
                "<td><img loading=\"lazy\" alt=\"\(cell.captions.joined(separator: ", "))\" src=\"data:image/jpeg;base64,\(jpeg.base64EncodedString())\">\(captions)</td>"
        }
        let hasHeaders = table.rows.contains { !$0.header.isEmpty }
        let corner: HTML = hasHeaders ? "<td></td>" : ""
        let head: HTML =
            table.columnHeaders.isEmpty
            ? ""
            : "<thead><tr>\(corner)\(table.columnHeaders.map { "<th scope=\"col\">\($0)</th>" as HTML })</tr></thead>"
        let rows = table.rows.map { row -> HTML in
            let header: HTML = hasHeaders ? "<th scope=\"row\">\(row.header)</th>" : ""
            return "<tr>\(header)\(row.cells.map(cell))</tr>\n"
        }
        return """
            <figure class="shots"><figcaption>\(table.title)</figcaption>
            <div class="scroll" tabindex="0" role="region" aria-label="\(table.title)"><table>\(head)<tbody>
            \(rows)</tbody></table></div></figure>

            """
    }

    private static func unbelievable(_ file: AttachedFile) -> HTML {
        let reason =
            switch file.content {
            case .intact: "cannot be read as what it should be"
            case .missing: "is not in the results folder"
            case .changed: "is not the file that the run left (its SHA-256 differs), so it is not shown"
            case .tooLarge: "is too large for a page"
            }
        return "<p class=\"missing\"><strong>\(file.file)</strong> \(reason).</p>\n"
    }

    // MARK: Origin

    /// The origin that stands behind every number, for those who read without a script or on paper.
    private static func origin(_ reported: ReportedRun) -> HTML {
        let facts = Provenance.facts(reported).map { "<dt>\($0[0])</dt><dd>\($0[1])</dd>" as HTML }
        let steps = reported.steps.map { step -> HTML in
            "<tr><th scope=\"row\">\(step.step.kind)</th><td>\(step.step.label)</td><td><code>\(step.step.key)</code></td><td>\(ReportWords.work(step))</td><td class=\"right\">\(ReportWords.duration(step.seconds))</td></tr>\n"
        }
        return """
            <details class="origin"><summary>Where these numbers come from</summary>
            <dl>\(facts)</dl>
            <div class="scroll" tabindex="0" role="region" aria-label="steps"><table><thead><tr><th scope="col">step</th><th scope="col">of</th><th scope="col">key</th><th scope="col">when</th><th scope="col" class="right">took</th></tr></thead><tbody>
            \(steps)</tbody></table></div>
            <h3>Spec</h3><pre tabindex="0">\(reported.run.specText)</pre></details>

            """
    }
}
