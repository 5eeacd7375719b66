using Graft.Trainer.Cli;
using Graft.Trainer.Output;
using Graft.Trainer.Training;

// A stop must not wait for an operator that takes minutes; nothing that the process still holds needs an orderly end then.
return TorchThread.Serve(torch => CommandLine.RunAsync(args, torch), Posix.ExitNow);
