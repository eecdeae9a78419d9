import Foundation
import Pipeline

/// A figure as SVG that takes its colours from the page, with its legend beside it.
struct FigurePlot {
    private struct Point {
        let x: Double
        let y: Double
        let interval: (lower: Double, upper: Double)?
    }

    private struct Curve {
        let title: String
        let points: [Point]
    }

    private let layout: FigureLayout
    private let curves: [Curve]
    private let reference: Curve?

    /// Colours of the page; curves beyond them are dashed.
    private static let colours = 8
    private static let (width, height) = (560, 340)
    /// How far the points of neighbouring curves stand apart: a factor on a logarithmic axis; less 1, a share of
    /// a linear one.
    private static let shift = 1.012

    init(_ layout: FigureLayout, metrics: MetricLookup) {
        self.layout = layout
        let (xScale, yScale) = (layout.x.isShare ? 100.0 : 1, layout.y.isShare ? 100.0 : 1)
        func curve(_ curve: FigureLayout.Curve) -> Curve {
            Curve(
                title: curve.title,
                points: curve.points.compactMap { point in
                    var interval: Metric.Interval?
                    let value: Double
                    switch point.y {
                    case .number(let number): value = number
                    case .metric(let name, let subject):
                        guard let metric = metrics[name, subject], let measured = metric.value else { return nil }
                        (value, interval) = (measured, metric.interval)
                    }
                    guard value.isFinite, point.x.isFinite, !layout.x.isLogarithmic || point.x > 0 else { return nil }
                    return Point(
                        x: point.x * xScale, y: value * yScale,
                        interval: interval.map { ($0.lower * yScale, $0.upper * yScale) })
                })
        }
        curves = layout.curves.map(curve).filter { !$0.points.isEmpty }
        reference = layout.reference.map(curve).flatMap { $0.points.isEmpty ? nil : $0 }
    }

    var isEmpty: Bool { curves.isEmpty }

    // MARK: Plot

    /// - Parameter number: of the figure on the page: names in it are the page's.
    /// - Returns: nil where gnuplot fails.
    func svg(_ gnuplot: Gnuplot, number: Int) -> HTML? {
        guard let source = gnuplot.run(script), let start = source.range(of: "<g id=\"gnuplot_canvas\">"),
            let end = source.range(of: "</svg>")
        else { return nil }
        var drawing = String(source[start.lowerBound..<end.lowerBound])
        // Groups without anything, and filters that nothing uses.
        drawing.replace(/<filter.*?<\/filter>\s*/.dotMatchesNewlines(), with: "")
        drawing.replace(/<title>.*?<\/title>\s*/.dotMatchesNewlines(), with: "")
        for _ in 0..<2 { drawing.replace(/<g [^>]*>\s*<\/g>\s*/, with: "") }
        drawing.replace(/rgb\(\s*1,\s*(\d+),\s*0\)/) { match in "var(--c\(match.1))" }
        drawing.replace(/rgb\(\s*2,\s*0,\s*0\)/, with: "var(--rule)")
        drawing.replace(/(fill|stroke|color)=(["'])black["']/) { match in "\(match.1)=\(match.2)currentColor\(match.2)"
        }
        drawing.replace(/color=(["'])currentColor["']/, with: "")
        drawing.replace(/font-family="[^"]*"/, with: "")
        drawing.replace(/gp(Pt|Dot)/) { match in "f\(number)\(match.1)" }
        drawing.replace(/id="(gnuplot_[a-z0-9_]+)"/) { match in "id=\"f\(number)\(match.1)\"" }
        // gnuplot sees no text of others: titles come in here.
        drawing.replace("XTITLE", with: HTML.escaped(layout.x.title))
        drawing.replace("YTITLE", with: HTML.escaped(layout.y.title))
        drawing.replace(/[ \t]*\n[ \t]*/, with: "\n")
        return
            "<svg viewBox=\"0 0 \(Self.width) \(Self.height)\" role=\"img\" aria-label=\"\(layout.title)\">\(HTML(markup: drawing))</svg>"
    }

    private var script: String {
        var lines = [
            "set terminal svg size \(Self.width),\(Self.height) dynamic noenhanced font 'sans-serif,14' linewidth 1.2",
            "unset key", "set border 3 linewidth 0.7", "set tics nomirror out scale 0.5", "set xlabel 'XTITLE'",
            "set ylabel 'YTITLE'", "set grid ytics linetype 1 linewidth 0.5 linecolor rgb '#020000'",
        ]
        if layout.x.isLogarithmic { lines.append("set logscale x 2") }
        if layout.y.startsAtZero { lines.append("set yrange [0:*]") }
        let xs = (curves + (reference.map { [$0] } ?? [])).flatMap(\.points).map(\.x)
        if let first = xs.min(), let last = xs.max() {
            if layout.x.isLogarithmic {
                lines.append("set xrange [\(first / 1.2):\(last * 1.2)]")
                lines.append("set xtics (\(Set(xs).sorted().map { "\($0)" }.joined(separator: ", ")))")
            } else {
                let margin = layout.hasMarks ? max(0.05 * (last - first), 0.02) : 0
                lines.append("set xrange [\(first - margin):\(max(last, first + 1e-9) + margin)]")
                if layout.hasMarks, xs.allSatisfy({ $0 == $0.rounded() }), last - first <= 30 {
                    lines.append("set xtics 1")
                }
            }
        }
        var plots: [String] = []
        if let reference {
            lines += Self.data("reference", reference)
            plots.append("$reference using 1:2 with lines linetype 1 dashtype 3 linewidth 1.2 linecolor rgb '#016300'")
        }
        for (index, curve) in curves.enumerated() {
            lines += Self.data("curve\(index)", curve)
            let style =
                "linetype 1 dashtype \(index / Self.colours + 1) linewidth 1.5 linecolor rgb '#01\(Self.hexadecimal(index % Self.colours + 1))00'"
            // Where curves lie on each other, their points and intervals stand side by side.
            let step = Double(index) - Double(curves.count - 1) / 2
            let x =
                !layout.hasMarks
                ? "1"
                : layout.x.isLogarithmic
                    ? "($1*\(pow(Self.shift, step)))"
                    : "($1+\(step * (Self.shift - 1) * ((xs.max() ?? 1) - (xs.min() ?? 0))))"
            let marks =
                layout.hasMarks ? "linespoints pointtype \([7, 5, 9, 13, 11][index % 5]) pointsize 0.5" : "lines"
            if curve.points.contains(where: { $0.interval != nil }) {
                plots.append("$curve\(index) using \(x):3:(0):($4-$3) with vectors nohead \(style)")
            }
            plots.append("$curve\(index) using \(x):2 with \(marks) \(style)")
        }
        return (lines + ["plot " + plots.joined(separator: ", ")]).joined(separator: "\n") + "\n"
    }

    private static func data(_ name: String, _ curve: Curve) -> [String] {
        ["$\(name) << EOD"]
            + curve.points.map { "\($0.x) \($0.y) \($0.interval?.lower ?? $0.y) \($0.interval?.upper ?? $0.y)" } + [
                "EOD"
            ]
    }

    private static func hexadecimal(_ number: Int) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }

    // MARK: Legend

    /// Outside the drawing, so that it wraps on a narrow screen.
    var legend: HTML {
        func entry(_ title: String, _ colour: Int, _ dash: String) -> HTML {
            "<li><svg class=\"key\" viewBox=\"0 0 26 10\" aria-hidden=\"true\"><path d=\"M0,5h26\" fill=\"none\" stroke-width=\"2.5\" stroke=\"var(--c\(colour))\" stroke-dasharray=\"\(dash)\"/></svg><span>\(title)</span></li>"
        }
        let entries =
            (reference.map { [entry($0.title, 99, "2,3")] } ?? [])
            + curves.enumerated().map { entry($1.title, $0 % Self.colours + 1, $0 < Self.colours ? "none" : "6,3") }
        return "<ul class=\"legend\">\(entries)</ul>"
    }
}
