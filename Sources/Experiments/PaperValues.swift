import Pipeline

/// Numbers that the papers print. What they show as plots only is not here.
enum PaperValues {
    /// arXiv 2406.04341 (ICLR 2025), Table 1: ViT-B/32 of OpenAI, layer 9, ImageNet validation.
    enum Table1 {
        static let indirectAccuracy = percent(52.3, "arXiv 2406.04341, Table 1, row 'indirect'")
        static let indirectExplainedVariance = percent(11.0, "arXiv 2406.04341, Table 1, row 'indirect'")
        static let secondOrderAccuracy = percent(29.6, "arXiv 2406.04341, Table 1, row 'second order'")
        static let secondOrderExplainedVariance = percent(48.2, "arXiv 2406.04341, Table 1, row 'second order'")
    }

    /// A percentage with one decimal, as a share; dividing a whole number gives the nearest double.
    private static func percent(_ value: Double, _ source: String) -> Metric.PaperValue {
        Metric.PaperValue((value * 10).rounded() / 1000, source: source, halfUnit: 0.0005)
    }
}
