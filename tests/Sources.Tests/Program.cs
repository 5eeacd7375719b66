using Graft.Sources;
using Graft.Sources.Tests.Support;

// Fetches in a process of its own, with the tests' small chunks: FetchProgram starts it.
var options = FetchOptions.FromEnvironment(Environment.GetEnvironmentVariable) with { Transfer = Make.Transfer };
var fetched = await new SourceFetcher(options).FetchAsync(new(args[0]), null, CancellationToken.None);
Console.WriteLine(fetched.Path);
