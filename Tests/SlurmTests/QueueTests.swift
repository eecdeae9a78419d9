import Testing

@testable import Slurm

/// What Slurm's commands print, as 22.05 prints it, and what is made of it.
@Suite struct QueueTests {
    @Test func tasksAreReadFromTheQueue() {
        let text = """
            clip-lens-1|12|0|RUNNING|shards|None
            clip-lens-1|12|7|PENDING|shards|Resources
            clip-lens-1|13|0|PENDING|finish|Dependency
            clip-lens-1|9|3|COMPLETED|shards|None
            slurm_load_jobs error: Invalid job id specified
            other|14|N/A|PENDING|(null)|Priority | odd

            """
        let tasks = QueuedTask.list(text)
        #expect(tasks.map(\.job) == ["12", "12", "13", "9", "14"])
        #expect(tasks.map(\.task) == [0, 7, 0, 3, nil])
        #expect(tasks.map(\.isAlive) == [true, true, true, false, true])
        #expect(tasks.map(\.role) == [.shards, .shards, .finish, .shards, nil])
        #expect(tasks[4].reason == "Priority | odd")
        #expect(tasks.words == "1 running, 3 waiting (Priority | odd, Resources)")
    }

    @Test func everyEndingIsOneAndAnUnknownStateIsNot() {
        func isAlive(_ state: String) -> Bool? { QueuedTask.list("n|1|0|\(state)|shards|None").first?.isAlive }
        for state in [
            "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "BOOT_FAIL",
            "DEADLINE",
        ] {
            #expect(isAlive(state) == false, "\(state)")
        }
        for state in ["PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "REQUEUED", "SOMETHING_NEW"] {
            #expect(isAlive(state) == true, "\(state)")
        }
    }

    @Test func theOldestJobOfARoleStays() {
        let tasks = QueuedTask.list(
            """
            n|9|0|RUNNING|shards|None
            n|10|0|PENDING|shards|None
            n|10|1|PENDING|shards|None
            n|11|0|PENDING|finish|Dependency
            """)
        #expect(tasks.jobs(.shards) == ["9", "10"])
        #expect(tasks.surplus == ["10"])
        #expect(QueuedTask.list("n|9|0|RUNNING|shards|None\nn|11|0|PENDING|finish|x").surplus == [])
    }

    @Test func whatSlurmHoldsBecauseItDidNotStartIsFound() {
        let tasks = QueuedTask.list(
            "n|1|0|PENDING|shards|launch failed requeued held\nn|1|1|PENDING|shards|launch failed requeued held\nn|2|0|PENDING|finish|Dependency"
        )
        #expect(tasks.stuck == ["1"])
    }

    @Test func aJobsNumberIsReadFromSbatch() {
        #expect(SlurmCommands.job("12\n") == "12")
        #expect(SlurmCommands.job("12;cluster\n") == "12")
        #expect(SlurmCommands.job("sbatch: a word before\n12;cluster\n") == "12")
        #expect(SlurmCommands.job("") == nil)
        #expect(SlurmCommands.job("Submitted batch job 12") == nil)
    }

    @Test func theArrayLimitIsReadFromTheConfiguration() {
        #expect(
            SlurmCommands.maxArraySize("MailProg = /bin/mail\nMaxArraySize            = 1001\nMaxDBDMsgs = 20\n")
                == 1001)
        #expect(SlurmCommands.maxArraySize("MaxArraySize = many") == nil)
    }

    @Test func aControllerThatIsAwayIsToldFromARefusal() {
        #expect(SlurmCommands.isPassing("slurm_load_jobs error: Unable to contact slurm controller (connect failure)"))
        #expect(
            SlurmCommands.isPassing(
                "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"))
        #expect(
            !SlurmCommands.isPassing("sbatch: error: Batch job submission failed: Invalid partition name specified"))
    }

    @Test func aCommandThatIsMissingIsSaidToBe() {
        #expect(throws: SlurmError.commandMissing("no-such-command-of-slurm")) {
            try SlurmCommands.run(["no-such-command-of-slurm"])
        }
    }
}
