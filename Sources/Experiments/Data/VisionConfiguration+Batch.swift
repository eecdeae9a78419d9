import CLIPModel

extension VisionConfiguration {
    /// Images that run together. A function of the model alone, because the order of additions in a
    /// product may depend on it: the largest power of two up to 32 whose captures take 1¼ GiB.
    var batch: Int {
        let perImage = tokens * (mlpWidth + 2 * width) * layers * 4
        var batch = 32
        while batch > 1 && batch * perImage > 1280 << 20 { batch /= 2 }
        return batch
    }
}
