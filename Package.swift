// swift-tools-version: 6.0
import PackageDescription

// Read from top to bottom, the targets are the flow of the data; each imports only what stands above it.

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "clip-lens",
    products: [.executable(name: "runner", targets: ["runner"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: System libraries

        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CFreeType", pkgConfig: "freetype2", providers: [.apt(["libfreetype-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: Numbers and files that hold them

        .target(name: "Foundations", dependencies: ["CZlib", crypto]),
        .target(name: "CKernels"),
        .target(name: "CDNNL", dependencies: ["CKernels"]),
        .target(name: "DenseMath", dependencies: ["Foundations", "CBLAS", "CDNNL", "CKernels"]),
        .target(name: "Safetensors", dependencies: ["Foundations"]),
        .target(name: "Archives", dependencies: ["Foundations", "CArchive"]),
        .target(name: "Pickle"),
        .target(name: "TorchCheckpoint", dependencies: ["Foundations", "Archives", "Pickle", "Safetensors"]),

        // MARK: Pictures, model, lens

        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(
            name: "Inputs",
            dependencies: [
                "Foundations", "CKernels", "Archives", "Pickle", "CCurl", "CFreeType", "CJPEG", "CPNG", "CZlib",
                crypto,
            ]),
        .target(name: "CLIPModel", dependencies: ["Foundations", "DenseMath", "Safetensors", "TorchCheckpoint"]),
        .target(name: "Lens", dependencies: ["Foundations", "DenseMath", "CLIPModel"]),
        .target(name: "Attribution", dependencies: ["DenseMath", "CLIPModel"]),

        // MARK: Pipeline and claims

        .target(name: "Pipeline", dependencies: ["Foundations", "Safetensors", yams]),
        .target(
            name: "Experiments",
            dependencies: [
                "Foundations", "DenseMath", "Safetensors", "Inputs", "CLIPModel", "Lens", "Attribution", "Pipeline",
            ]),
        .target(name: "Slurm", dependencies: ["Foundations", "Pipeline"]),
        .target(
            name: "Results", dependencies: ["Foundations", "Pipeline", grdb, sqlite],
            resources: [.embedInCode("Report/Resources/report.css"), .embedInCode("Report/Resources/report.js")]),

        // MARK: Command line

        .executableTarget(
            name: "runner",
            dependencies: [
                "Foundations", "Archives", "Pickle", "TorchCheckpoint", "Inputs", "Attribution", "Experiments",
                "Results", "Slurm", argumentParser,
            ]),

        // MARK: Benchmarks

        .executableTarget(
            name: "bench",
            dependencies: [
                "Foundations", "DenseMath", "CLIPModel", "Lens", "Attribution", "TestSupport", argumentParser,
            ]),

        // MARK: Tests

        .target(
            name: "TestSupport",
            dependencies: ["Foundations", "DenseMath", "Safetensors", "Archives", "CLIPModel", "CZlib"],
            path: "Tests/TestSupport"),
        .testTarget(name: "DenseMathTests", dependencies: ["Foundations", "DenseMath"], exclude: ["Fixtures"]),
        .testTarget(
            name: "SafetensorsTests", dependencies: ["Foundations", "Safetensors"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ArchivesTests", dependencies: ["Foundations", "Archives", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(name: "PickleTests", dependencies: ["Foundations", "Pickle"], exclude: ["Fixtures"]),
        .testTarget(
            name: "TorchCheckpointTests",
            dependencies: ["Foundations", "TorchCheckpoint", "Archives", "Pickle", "Safetensors"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "InputsTests",
            dependencies: ["Foundations", "Inputs", "Archives", "CPNG", "CZlib", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "CLIPModelTests",
            dependencies: [
                "Foundations", "DenseMath", "CLIPModel", "Safetensors", "TorchCheckpoint", "CZlib", "TestSupport",
            ], exclude: ["Fixtures"]),
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .testTarget(
            name: "LensTests", dependencies: ["Foundations", "Lens", "TestSupport", "CAllocations"],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "AttributionTests",
            dependencies: ["Foundations", "Attribution", "DenseMath", "CLIPModel", "Safetensors", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "FoundationsTests", dependencies: ["Foundations", "TestSupport"]),
        .testTarget(
            name: "PipelineTests", dependencies: ["Foundations", "Pipeline", "Safetensors", "TestSupport"],
            exclude: ["Fixtures"]),
        .testTarget(name: "SlurmTests", dependencies: ["Slurm", "Pipeline", "Foundations"]),
        .testTarget(
            name: "ExperimentsTests", dependencies: ["Experiments", "Foundations", "TestSupport"], exclude: ["Fixtures"]
        ),
        .testTarget(
            name: "ResultsTests", dependencies: ["Foundations", "Results", "Pipeline", "TestSupport", grdb],
            exclude: ["Fixtures"]),
        .testTarget(
            name: "RunnerTests",
            dependencies: [
                "runner", "Foundations", "Archives", "Inputs", "Results", "Pipeline", "Safetensors", "TestSupport",
                grdb,
            ], exclude: ["Fixtures"]),
    ]
)
