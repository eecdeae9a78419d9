import Foundation
import Results
import TestSupport
import Testing

/// The page of `runner report` in a browser, as somebody gets it by mail: one file, no network.
@Suite(.enabled(if: Browser.executable != nil, Browser.missing)) struct ReportBrowserTests {
    /// Nothing but the page, made from results in which every text would like to be markup.
    private let folder: TemporaryFolder
    private var page: URL { folder.file("report.html") }

    init() throws {
        folder = try TemporaryFolder()
        let results = try TemporaryFolder()
        let database = try ResultsDatabase(readingFrom: try ReportSample.write(to: results.url))
        try ResultsReport(database, folder: results.url).html().write(to: page)
        try database.close()
    }

    private let shown = "[...document.querySelectorAll('.card')].map(card => card.dataset.card).sort().join(' ')"

    @Test func thePageWorksInABrowser() throws {
        let browser = try Browser(try #require(Browser.executable))

        try browser.load(page)
        #expect(try browser.evaluate("document.title", as: String.self) == "Results: emoji")
        // Text from data is read as it is, and none of it ran.
        #expect(
            try browser.evaluate("document.body.innerText.includes('</script><script>document.title=')", as: Bool.self))
        try everyPictureLoads(browser)
        try searchFinds(browser)
        try theKeyboardReachesEverything(browser)

        try browser.load(page, fragment: "#word=%C3%A9clair")
        #expect(try browser.evaluate(shown, as: String.self) == "0.8", "a search in the address")
        try browser.load(page, fragment: "#card=1.20")
        #expect(try browser.evaluate(shown, as: String.self) == "1.20", "a card in the address")

        for isDark in [false, true] {
            try browser.load(page, width: 390, height: 800, isDark: isDark)
            let width = try browser.evaluate("document.documentElement.scrollWidth", as: Int.self)
            #expect(width <= 390, "\(width) pixels on a telephone of 390")
            try isNotBlank(try browser.screenshot(), paper: isDark ? 24 : 255, browser)
        }
        #expect(try browser.printed().starts(with: Data("%PDF".utf8)))
        #expect(browser.problems.isEmpty, "\(browser.problems)")
    }

    private func everyPictureLoads(_ browser: Browser) throws {
        let broken = try browser.evaluate(
            """
            Promise.all([...document.images].map(image => { image.loading = 'eager'; return image.decode().then(() => '', () => image.outerHTML.slice(0, 200)) }))
              .then(all => all.filter((text, index) => text || !(document.images[index].naturalWidth > 0)).join('\\n'))
            """, as: String.self)
        let count = try browser.evaluate("document.images.length", as: Int.self)
        #expect(broken.isEmpty && count >= 48 * 2 + 1, "\(count) pictures, broken: \(broken)")
    }

    /// Types into the search field and compares the cards with those whose words begin so.
    private func searchFinds(_ browser: Browser) throws {
        #expect(try browser.evaluate("document.querySelectorAll('.card').length", as: Int.self) == 48)
        let count = "document.querySelector('.count').textContent"
        #expect(try browser.evaluate(count, as: String.self) == "60 cards, the first 48 shown")
        for (word, expected) in [
            ("dog", "0.3 0.7 1.20"), ("DOGMA", ""), ("hot dog", "0.7"), ("word9", "0.0 0.18 0.27 0.9 1.15 1.24 1.6"),
            ("éclair", "0.8"),
            ("ord9", ""), ("</script>", "0.9"), ("%", ""), ("onerror", "0.9"),
        ] {
            _ = try browser.evaluate(
                "(() => { const field = document.querySelector('#word-0'); field.focus(); field.select() })(), 0",
                as: Int.self)
            try browser.type(word)
            #expect(try browser.evaluate(shown, as: String.self) == expected, "\(word)")
            let address = try browser.evaluate("decodeURIComponent(location.hash)", as: String.self)
            #expect(address == "#word=\(word)")
        }
        _ = try browser.evaluate(
            "(() => { const form = document.querySelector('.tools'); form.word.value = 'dog'; form.group.value = '1'; form.dispatchEvent(new Event('input')) })(), 0",
            as: Int.self)
        #expect(try browser.evaluate(shown, as: String.self) == "1.20", "of one layer")
        // The heaviest word first, then other orders.
        _ = try browser.evaluate(
            "(() => { const form = document.querySelector('.tools'); form.group.value = ''; form.dispatchEvent(new Event('input')) })(), 0",
            as: Int.self)
        #expect(try browser.evaluate("document.querySelector('.card').dataset.card", as: String.self) == "1.20")
        #expect(try browser.evaluate("document.querySelectorAll('.card .hit').length", as: Int.self) == 3)
    }

    private func theKeyboardReachesEverything(_ browser: Browser) throws {
        _ = try browser.evaluate("document.activeElement.blur(), scrollTo(0, 0), 0", as: Int.self)
        func focused() throws -> String {
            try browser.evaluate(
                "(e => e.id || e.name || e.className || e.tagName)(document.activeElement)", as: String.self)
        }
        _ = try browser.evaluate("document.querySelector('.skip').focus(), 0", as: Int.self)
        var stops: [String] = []
        while stops.count < 60, stops.last != "word-0" {
            try browser.press("Tab", code: 9)
            stops.append(try focused())
        }
        #expect(stops.last == "word-0", "\(stops)")
        // From the first number of a table by arrows to another one, whose origin Enter shows and Escape closes.
        _ = try browser.evaluate("document.querySelector('table.numbers button').focus(), 0", as: Int.self)
        try browser.press("ArrowDown", code: 40)
        #expect(try browser.evaluate("document.activeElement.textContent", as: String.self).hasPrefix("81.2 "))
        try browser.press("Enter", code: 13, text: "\r")
        #expect(try browser.evaluate("document.querySelector('dialog').open", as: Bool.self))
        let text = try browser.evaluate("document.querySelector('dialog').textContent", as: String.self)
        for fact in [
            "0.8125 (share)", "percentile bootstrap, 1000 replicates", "Table 1, row 2", "0123456789abcdef", "Haswell",
            "a: 1",
        ] {
            #expect(text.contains(fact), "\(fact)")
        }
        try browser.press("Escape", code: 27)
        #expect(try !browser.evaluate("document.querySelector('dialog').open", as: Bool.self))
    }

    /// - Parameter paper: the grey value of the page.
    private func isNotBlank(_ png: Data, paper: Int, _ browser: Browser) throws {
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let share = try browser.evaluate(
            """
            (async () => {
              const image = new Image();
              image.src = 'data:image/png;base64,\(png.base64EncodedString())';
              await image.decode();
              const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
              canvas.drawImage(image, 0, 0);
              const bytes = canvas.getImageData(0, 0, image.width, image.height).data;
              return bytes.filter((byte, index) => index % 4 < 3 && Math.abs(byte - \(paper)) > 40).length / bytes.length;
            })()
            """, as: Double.self)
        #expect(share > 0.01 && share < 0.5, "\(share) of the screenshot is not the page's colour")
    }
}
