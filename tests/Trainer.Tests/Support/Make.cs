using Graft.Contract;

namespace Graft.Trainer.Tests.Support;

/// <summary>A good job, to be changed by a test.</summary>
internal static class Make
{
    public static TrainingJob Job() => new()
    {
        Version = TrainingJob.CurrentVersion,
        Name = "test",
        Model = new ModelInput("file:///m", "/m"),
        Objective = new Objective { Generation = new GenerationObjective() },
        Data = new DataInput([new DataSource("file:///rows.jsonl", "/rows.jsonl")]),
        Method = new Method { Lora = new LoraMethod(new LoraTargets { AllLinear = new AllLinear() }) },
        Training = new TrainingPlan(
            new TrainingDuration { Steps = 4 },
            new Optimizer { Adamw = new AdamW() },
            new Schedule { Constant = new Warmup() },
            BatchSize: 4,
            LearningRate: 1e-3),
        Output = new OutputTarget("/out/test", "pvc://out/test"),
    };
}
