# Image of the operator. The context is what `make publish` wrote: artifacts/publish/operator.
# Ubuntu 24.04 brings the .NET 10 runtime that the program needs.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
COPY . /opt/graft
# The user that the operator's manifests name; it writes to mounted volumes only, so the root file system may be read-only.
USER 65532:65532
ENTRYPOINT ["dotnet", "/opt/graft/graft-operator.dll"]
