import Pipeline

extension [TableLayout] {
    /// The tables, saying in their titles that they were made from some of the images only.
    func marked(partial: Bool, images: Int) -> [TableLayout] {
        guard partial else { return self }
        return map { layout in
            var marked = layout
            marked.title += " — PARTIAL, \(images) images only"
            return marked
        }
    }
}
