import ArgumentParser

/// A number of bytes as people write it: `512M`, `4GiB`, `16000000`.
struct ByteCount: ExpressibleByArgument, CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let digits = argument.prefix { $0.isNumber || $0 == "." }
        let unit = argument.dropFirst(digits.count).uppercased().replacing("IB", with: "").replacing("B", with: "")
        let shifts = ["": 0, "K": 10, "M": 20, "G": 30, "T": 40]
        guard let number = Double(digits), number > 0, let shift = shifts[unit] else { return nil }
        let bytes = number * Double(1 << shift)
        guard bytes < 0x1p62 else { return nil }
        self.bytes = Int(bytes)
    }

    var description: String {
        switch bytes {
        case (1 << 30)...: "\((Double(bytes) / 0x1p30 * 10).rounded() / 10) GiB"
        case (1 << 20)...: "\(bytes >> 20) MiB"
        case (1 << 10)...: "\(bytes >> 10) KiB"
        default: "\(bytes) B"
        }
    }
}
