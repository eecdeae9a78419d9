import Attribution
import Pipeline

/// Numbers that the papers print. What they show as plots only is not here.
enum PaperValues {
    /// The model of Tables 1, 3 and 4 of arXiv 2406.04341, by its name in the manifest.
    static let model = "openai-vit-b-32"
    /// The data sets that the numbers were measured on.
    static let datasets: Set<String> = ["imagenet-train", "imagenet-val", "imagenet-segmentation"]

    /// arXiv 2406.04341 (ICLR 2025), Table 1: ViT-B/32 of OpenAI, layer 9, ImageNet validation.
    enum Table1 {
        static let layer = 9
        static let dataset = "imagenet-val"
        static let indirectAccuracy = percent(52.3, "arXiv 2406.04341, Table 1, row 'indirect'")
        static let indirectExplainedVariance = percent(11.0, "arXiv 2406.04341, Table 1, row 'indirect'")
        static let secondOrderAccuracy = percent(29.6, "arXiv 2406.04341, Table 1, row 'second order'")
        static let secondOrderExplainedVariance = percent(48.2, "arXiv 2406.04341, Table 1, row 'second order'")
    }

    /// arXiv 2406.04341 (ICLR 2025), Table 3: pictures of 100 that fool the classifier.
    enum Table3 {
        static let pairs = ["horse-automobile", "dog-deer", "bird-frog", "ship-truck", "ship-automobile"]

        /// Mean over three repeats and their standard deviation.
        static func row(_ pair: String, _ method: SearchMethod) -> (mean: Metric.PaperValue, deviation: Metric.PaperValue)? {
            guard let (mean, deviation) = values(pair, method) else { return nil }
            let source = "arXiv 2406.04341, Table 3, row '\(pair)', \(method.rawValue)"
            return (percent(mean, source), percent(deviation, source))
        }

        private static func values(_ pair: String, _ method: SearchMethod) -> (Double, Double)? {
            let row: [(Double, Double)]
            switch pair {
            case "horse-automobile": row = [(1.0, 1.4), (2.8, 3.7), (1.0, 1.4), (5.3, 1.9)]
            case "dog-deer": row = [(0.3, 0.5), (6.3, 4.8), (3.3, 0.9), (22.7, 0.5)]
            case "bird-frog": row = [(0.3, 0.5), (1.0, 1.4), (5.0, 2.9), (8.0, 4.5)]
            case "ship-truck": row = [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (5.7, 0.9)]
            case "ship-automobile": row = [(1.3, 1.9), (0.0, 0.0), (1.3, 0.9), (7.0, 4.5)]
            default: return nil
            }
            switch method {
            case .randomNeurons: return row[0]
            case .indirect: return row[1]
            case .similarWords: return row[2]
            case .secondOrder: return row[3]
            case .randomWords: return nil
            }
        }
    }

    /// arXiv 2406.04341 (ICLR 2025), Table 4: ViT-B/32 of OpenAI, ImageNet-Segmentation.
    enum Table4 {
        static let dataset = "imagenet-segmentation"
        static let neurons = 200
        static let layers = [8, 9, 10]
        static let threshold = 0.5

        static func row(
            _ method: AttributionMethod
        ) -> (pixelAccuracy: Metric.PaperValue, meanIoU: Metric.PaperValue, meanAP: Metric.PaperValue) {
            let (accuracy, iou, precision) = values(method)
            let source = "arXiv 2406.04341, Table 4, row '\(method.rawValue)'"
            return (percent(accuracy, source), percent(iou, source), percent(precision, source))
        }

        private static func values(_ method: AttributionMethod) -> (Double, Double, Double) {
            switch method {
            case .partialLRP: (55.0, 35.5, 66.9)
            case .rollout: (61.8, 42.6, 74.0)
            case .lrp: (62.9, 35.8, 68.5)
            case .gradcam: (67.3, 39.3, 61.9)
            case .chefer2021: (68.9, 49.1, 79.7)
            case .rawAttention: (69.6, 49.8, 80.0)
            case .textSpan: (76.5, 58.1, 84.1)
            case .secondOrder: (78.1, 59.0, 84.9)
            }
        }
    }

    /// arXiv 2304.05653 (Pattern Recognition 2025), open-vocabulary segmentation with ViT-B/16.
    enum OpenVocabulary {
        /// - Returns: nil for what the paper does not print.
        static func meanIoU(_ reading: TokenReading, _ dataset: String) -> Metric.PaperValue? {
            guard dataset == "pascal-context" else { return nil }
            switch reading.name {
            // Its MaskCLIP leaves the MLP out and so is none of the rows.
            case "architecture-surgery": return percent(29.3, "arXiv 2304.05653, open-vocabulary segmentation, Pascal Context")
            default: return nil
            }
        }
    }

    /// arXiv 2304.05653, multi-label recognition on NUS-Wide with RN50.
    enum MultiLabel {
        static func meanAP(_ score: RecognitionScore) -> Metric.PaperValue? {
            switch score {
            case .softmax: hundredths(35.58, "arXiv 2304.05653, multi-label recognition, NUS-Wide, CLIP")
            case .featureSurgery: hundredths(39.99, "arXiv 2304.05653, multi-label recognition, NUS-Wide, CLIP Surgery")
            case .cosine: nil
            }
        }
    }

    /// A percentage with two decimals, as a share.
    private static func hundredths(_ value: Double, _ source: String) -> Metric.PaperValue {
        Metric.PaperValue((value * 100).rounded() / 10_000, source: source, halfUnit: 0.00005)
    }

    /// A percentage with one decimal, as a share; dividing a whole number gives the nearest double.
    private static func percent(_ value: Double, _ source: String) -> Metric.PaperValue {
        Metric.PaperValue((value * 10).rounded() / 1000, source: source, halfUnit: 0.0005)
    }
}
