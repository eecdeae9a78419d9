import Foundation
import Pipeline

extension PredictionSet {
    /// Whether the prediction of each image is right, where that is what the number is the share of; nil where it is not.
    func answers(behind metric: Metric) -> [String: Bool]? {
        guard metric.name == "accuracy", let value = metric.value, !predictions.isEmpty,
            Set(condition.columns) == Set(metric.subject.columns)
        else { return nil }
        // A picture of several objects has all their names as its label.
        let rules: [(Prediction) -> Bool] = [
            { $0.prediction == $0.label }, { $0.label.components(separatedBy: ", ").contains($0.prediction) },
        ]
        for isRight in rules {
            let answers = predictions.map { ($0.imageID, isRight($0)) }
            let share = Double(answers.count { $0.1 }) / Double(answers.count)
            if abs(share - value) < 1e-9 { return Dictionary(answers, uniquingKeysWith: { first, _ in first }) }
        }
        return nil
    }
}
